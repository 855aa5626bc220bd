// Every image for both architectures: `docker buildx bake`; one for this machine's own: `make up`.
// `docker buildx bake --set '*.platform=linux/arm64' quoter` builds one service for one architecture.

variable "PYTHON_IMAGE" {
  default = "python:3.11-slim-bookworm"
}

variable "TAG" {
  default = "dev"
}

group "default" {
  targets = ["feed", "quoter", "executor", "warden", "riskd", "monitor", "simvenue"]
}

target "service" {
  context    = "."
  dockerfile = "Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    PYTHON_IMAGE = PYTHON_IMAGE
  }
}

target "feed" {
  inherits = ["service"]
  target   = "feed"
  tags     = ["amm500/feed:${TAG}"]
}

target "quoter" {
  inherits = ["service"]
  target   = "quoter"
  tags     = ["amm500/quoter:${TAG}"]
}

target "executor" {
  inherits = ["service"]
  target   = "executor"
  tags     = ["amm500/executor:${TAG}"]
}

target "warden" {
  inherits = ["service"]
  target   = "warden"
  tags     = ["amm500/warden:${TAG}"]
}

target "riskd" {
  inherits = ["service"]
  target   = "riskd"
  tags     = ["amm500/riskd:${TAG}"]
}

target "monitor" {
  inherits = ["service"]
  target   = "monitor"
  tags     = ["amm500/monitor:${TAG}"]
}

target "simvenue" {
  inherits = ["service"]
  target   = "simvenue"
  tags     = ["amm500/simvenue:${TAG}"]
}
