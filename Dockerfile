# Built in two stages: the toolchain stays behind, the runtime gets one binary and what it links to.
FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
 && apt-get install -qy --no-install-recommends libssl-dev libsqlite3-dev libcurl4-openssl-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies first: their layer lasts until Package.swift changes.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
# The manifest names test targets, so their folders must be there; they are not built.
COPY Tests Tests
# The Swift runtime is linked in. -s drops the symbols.
RUN swift build -c release --product revoked --static-swift-stdlib -Xlinker -s \
 && install -D "$(swift build -c release --show-bin-path)/revoked" /out/revoked

FROM debian:bookworm-slim
# libssl3: HMAC. libsqlite3-0: the store. libcurl4 and ca-certificates: what goes out.
RUN apt-get update -q \
 && apt-get install -qy --no-install-recommends libssl3 libsqlite3-0 libcurl4 ca-certificates \
 && rm -rf /var/lib/apt/lists/* /var/cache/apt/* \
 && groupadd --gid 10001 revoked \
 && useradd --uid 10001 --gid revoked --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin revoked \
 && install -d -m 0770 -o revoked -g 0 /data
COPY --from=build /out/revoked /usr/local/bin/revoked
# --build-arg REVISION=$(git rev-parse HEAD) --build-arg CREATED=$(git show -s --format=%cI HEAD)
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="revoked" \
      org.opencontainers.image.description="Receives Dynamic's session revocations, durably, and answers who is revoked" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
# /data is of group 0 for platforms that run an image as any user of that group (OpenShift).
# Inside the container only the network that it is attached to reaches these: publish 8080 to the proxy, 8081 to the backends.
ENV REVOKED_LISTEN=0.0.0.0:8080 REVOKED_PRIVATE_LISTEN=0.0.0.0:8081 REVOKED_DATA=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["revoked", "healthcheck"]
ENTRYPOINT ["revoked"]
CMD ["serve"]
