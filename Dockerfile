# One version for both stages: the environment built in the first is linked to the second's Python.
ARG PYTHON=python:3.11-slim-bookworm

FROM ${PYTHON} AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# Dependencies first: a change of the code leaves their layer as it is.
COPY requirements.lock requirements-build.lock ./
RUN pip install --require-hashes --only-binary=:all: -r requirements-build.lock \
 && python -m venv /opt/authsrv \
 && /opt/authsrv/bin/pip install --require-hashes --only-binary=:all: -r requirements.lock
COPY . .
RUN pip wheel --no-deps --no-build-isolation --wheel-dir=/dist . \
 && /opt/authsrv/bin/pip install --no-deps --no-index /dist/*.whl

FROM ${PYTHON}
# By number, so that an orchestrator can tell that it is not root. The home holds var/, where the SQLite database goes.
RUN useradd --uid=10001 --user-group --create-home --home-dir=/var/lib/authsrv --shell=/usr/sbin/nologin authsrv
COPY --from=build /opt/authsrv /opt/authsrv
ENV PATH=/opt/authsrv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /var/lib/authsrv
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python", "-c", "import http.client as h, sys; c = h.HTTPConnection('127.0.0.1', 8000, timeout=2); c.request('GET', '/healthz'); sys.exit(c.getresponse().status != 200)"]
ENTRYPOINT ["authsrv"]
CMD ["serve", "--host", "0.0.0.0"]
