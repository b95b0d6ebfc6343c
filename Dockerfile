# The base images are arguments, so that a site can build from its own mirror:
#   docker build --build-arg BUILD_IMAGE=... --build-arg RUNTIME_IMAGE=... .
ARG BUILD_IMAGE=rust:1-bookworm
ARG RUNTIME_IMAGE=debian:bookworm-slim

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
# The dependencies alone make a layer that changes only with them. The source
# stands in as an empty program until the next layer.
COPY .cargo .cargo
COPY Cargo.toml Cargo.lock ./
COPY xtask/Cargo.toml xtask/
RUN mkdir src xtask/src \
    && echo '//! Stands in.' | tee src/lib.rs > xtask/src/lib.rs \
    && echo 'fn main() {}' | tee src/main.rs > xtask/src/main.rs \
    && cargo build --release --locked \
    && rm -rf src
COPY migrations migrations
COPY openapi openapi
COPY src src
# COPY keeps old times: without the touch, cargo would take the stand-in for newer.
RUN touch src/lib.rs src/main.rs && cargo build --release --locked --bin unloop

FROM ${RUNTIME_IMAGE}
# The certificates are for OTLP over https; the server itself needs none.
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /var/lib/unloop \
        --shell /usr/sbin/nologin unloop
COPY --from=build /build/target/release/unloop /usr/local/bin/unloop
COPY LICENSE NOTICE /usr/share/doc/unloop/
USER 10001:10001
WORKDIR /var/lib/unloop
ENV DATABASE_URL=sqlite:/var/lib/unloop/unloop.db \
    UNLOOP_BIND=0.0.0.0:8080
VOLUME /var/lib/unloop
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=6 \
    CMD ["/usr/local/bin/unloop", "health"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/unloop"]
CMD ["serve"]
