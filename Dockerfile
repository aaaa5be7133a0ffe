# The same image for trying out and for production; settings are YHDESSA_* variables (README).
ARG BASE_IMAGE=python:3.11-slim

FROM ${BASE_IMAGE} AS build
# With requirements-otel.lock the image can also send traces.
ARG LOCK=requirements.lock
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-otel.lock requirements-build.lock ./
RUN python -m venv /opt/yhdessa \
    && /opt/yhdessa/bin/pip install --require-hashes -r "$LOCK" \
    && python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements-build.lock
COPY pyproject.toml LICENSE ./
COPY migrations ./migrations
COPY app ./app
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /opt/yhdessa/bin/pip install --no-deps --no-index /wheels/*.whl

FROM ${BASE_IMAGE}
ENV PATH=/opt/yhdessa/bin:$PATH \
    PYTHONUNBUFFERED=1
RUN groupadd --system --gid 10001 yhdessa \
    && useradd --system --uid 10001 --gid yhdessa --home-dir /srv --no-create-home yhdessa \
    && install -d -o yhdessa -g yhdessa /srv/data
COPY --from=build /opt/yhdessa /opt/yhdessa
# The default database is ./data/yhdessa.db from here.
WORKDIR /srv
VOLUME /srv/data
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["python", "-c", "\
from http.client import HTTPConnection; \
connection = HTTPConnection('127.0.0.1', 8000, timeout=4); \
connection.request('GET', '/readyz'); \
raise SystemExit(connection.getresponse().status != 200)"]
ENTRYPOINT ["yhdessa"]
CMD ["serve", "--host", "0.0.0.0"]
