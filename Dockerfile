# The REST API and the twohop command. Neo4j is a container of its own: see docker-compose.yml.
FROM python:3.11-slim

RUN apt-get update \
    && apt-get install --yes --no-install-recommends make \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 10001 twohop \
    && install --directory --owner=twohop --mode=0700 /var/lib/twohop

WORKDIR /app
COPY . .
RUN make install

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    TWOHOP_HOME=/var/lib/twohop
USER twohop
EXPOSE 8000
CMD ["twohop", "serve", "--host", "0.0.0.0"]
