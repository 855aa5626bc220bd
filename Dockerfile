# One image a service: `docker build --target feed .`; docker-bake.hcl builds all of them for arm64 and amd64.
# A later stage holds only what its service imports: the packages of its lock file, `common`, its own folder, `config`.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS python
ENV PYTHONUNBUFFERED=1 PYTHONHASHSEED=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /app

# ---------------------------------------------------------------------- packages: wheels only, each held to its hash
FROM python AS base
COPY requirements/riskd.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/riskd.txt

FROM base AS feed-packages
COPY requirements/feed.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/feed.txt

FROM base AS executor-packages
COPY requirements/executor.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/executor.txt

FROM base AS monitor-packages
COPY requirements/monitor.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/monitor.txt

# The warden knows no Redis, so it does not begin with what the others share.
FROM python AS warden-packages
COPY requirements/warden.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/warden.txt

# Compiling services; the tests that numba and numpy bring are left out of their images.
FROM base AS quoter-packages
COPY requirements/quoter.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/quoter.txt && \
    find /usr/local/lib/python3*/site-packages/num* -type d -name tests -prune -exec rm -rf {} +

FROM quoter-packages AS simvenue-packages
COPY requirements/simvenue.txt requirements/
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install --quiet --require-hashes --only-binary :all: -r requirements/simvenue.txt

# ---------------------------------------------------------------------- which code this is, the same in every image
FROM python AS stamp
COPY . .
RUN python -c "from common.build import build_id; print(build_id())" > /BUILD

# ---------------------------------------------------------------------- plain services: no numpy, plain kernels
FROM feed-packages AS feed
ENV AMM_KERNELS=plain
RUN mkdir -m 1777 run recordings
COPY config config
COPY common common
COPY feed feed
RUN python -m compileall -q common feed
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9101"]
ENTRYPOINT ["python", "-m", "feed"]

FROM executor-packages AS executor
ENV AMM_KERNELS=plain
RUN mkdir -m 1777 run latch line
COPY config config
COPY common common
COPY executor executor
RUN python -m compileall -q common executor
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9103"]
ENTRYPOINT ["python", "-m", "executor"]

FROM warden-packages AS warden
ENV AMM_KERNELS=plain
RUN mkdir -m 1777 run latch line
COPY config config
COPY common common
COPY executor executor
RUN python -m compileall -q common executor
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9107"]
ENTRYPOINT ["python", "-m", "executor.warden"]

FROM base AS riskd
ENV AMM_KERNELS=plain
RUN mkdir -m 1777 run latch
COPY config config
COPY common common
COPY riskd riskd
RUN python -m compileall -q common riskd
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9104"]
ENTRYPOINT ["python", "-m", "riskd"]

FROM monitor-packages AS monitor
ENV AMM_KERNELS=plain
RUN mkdir -m 1777 run latch
COPY config config
COPY common common
COPY monitor monitor
RUN python -m compileall -q common monitor
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9105"]
ENTRYPOINT ["python", "-m", "monitor"]

# ---------------------------------------------------------------------- compiling services, their machine code baked
# For a generic CPU, so that it runs wherever the image does; at the start it is copied to where numba may write. The
# build ends here when a kernel would be compiled again.
FROM quoter-packages AS quoter-code
ENV NUMBA_CPU_NAME=generic AMM_KERNEL_CACHE=/tmp/kernels
RUN mkdir -m 1777 run models
COPY config config
COPY common common
COPY quoter quoter
RUN python -m compileall -q common quoter

FROM quoter-code AS quoter-kernels
RUN AMM_KERNEL_CACHE=/app/kernels python -m common.kernel common quoter

FROM quoter-code AS quoter
COPY --from=quoter-kernels /app/kernels kernels
RUN cp -r kernels /tmp/kernels && \
    python -c "from common import kernel; kernel.load_all(('common', 'quoter')); exit(kernel.COMPILATIONS.total)" && \
    rm -r /tmp/kernels
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9102"]
ENTRYPOINT ["python", "-m", "common.warm", "kernels", "/tmp/kernels", "quoter"]

FROM simvenue-packages AS simvenue-code
ENV NUMBA_CPU_NAME=generic AMM_KERNEL_CACHE=/tmp/kernels
COPY config config
COPY common common
COPY simvenue simvenue
RUN python -m compileall -q common simvenue

FROM simvenue-code AS simvenue-kernels
RUN AMM_KERNEL_CACHE=/app/kernels python -m common.kernel common simvenue

FROM simvenue-code AS simvenue
COPY --from=simvenue-kernels /app/kernels kernels
RUN cp -r kernels /tmp/kernels && \
    python -c "from common import kernel; kernel.load_all(('common', 'simvenue')); exit(kernel.COMPILATIONS.total)" && \
    rm -r /tmp/kernels
COPY --from=stamp /BUILD .
USER 10001:10001
HEALTHCHECK --start-period=90s --interval=5s --timeout=3s --retries=3 CMD ["python", "-SE", "-m", "common.health", "9106"]
ENTRYPOINT ["python", "-m", "common.warm", "kernels", "/tmp/kernels", "simvenue"]
