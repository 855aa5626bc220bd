"""What people see and are told of the running system, as code: dashboards, alert rules and their tests.

`python -m boards` (`make boards`) writes `prometheus/` and `grafana/`, which are committed; a test fails when they are
not what this package makes. Nothing here runs beside the services, and no service imports it.
"""
