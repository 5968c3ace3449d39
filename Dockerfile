# syntax=docker/dockerfile:1
# Serving only: onnxruntime, no PyTorch. One image for both planes: `slotbeam serve` (default) and `slotbeam admin`.

FROM python:3.11-slim AS build
RUN python -m venv /opt/slotbeam
ENV PATH=/opt/slotbeam/bin:$PATH
WORKDIR /src
# Dependencies by hash; then the package alone; then nothing that installs.
COPY deploy/requirements deploy/requirements
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    -r deploy/requirements/build.txt -r deploy/requirements/serve.txt
COPY pyproject.toml README.md LICENSE ./
COPY service service
RUN pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation . \
 && pip uninstall --yes setuptools pip

FROM python:3.11-slim
RUN groupadd --system --gid 10001 slotbeam \
 && useradd --system --uid 10001 --gid 10001 --create-home --home-dir /var/lib/slotbeam slotbeam \
 && install -d -o slotbeam -g slotbeam -m 0700 /var/lib/slotbeam/data /var/lib/slotbeam/indexes
COPY --from=build /opt/slotbeam /opt/slotbeam
COPY model_artifacts/demo /srv/slotbeam/artifact
ENV PATH=/opt/slotbeam/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SLOTBEAM_HOST=0.0.0.0 \
    SLOTBEAM_DATA_DIR=/var/lib/slotbeam/data \
    SLOTBEAM_ARTIFACT=/srv/slotbeam/artifact
USER 10001:10001
WORKDIR /var/lib/slotbeam
VOLUME /var/lib/slotbeam/data
EXPOSE 8000 8001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
CMD ["slotbeam", "serve"]
