# Built in two stages: the toolchain stays behind, and so does the system. The image has one executable, what that links
# to, and no shell.
FROM swift:6.3-bookworm AS build
RUN apt-get update -q \
 && apt-get install -qy --no-install-recommends libssl-dev libsqlite3-dev libcurl4-openssl-dev libpq-dev zlib1g-dev pkg-config \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The dependencies first: their layer lasts until Package.swift changes.
COPY Package.swift ./
RUN swift package resolve
COPY Sources Sources
# The manifest names test targets, so their folders must be there; they are not built.
COPY Tests Tests
# The Swift runtime is linked in. -s drops the symbols.
RUN swift build -c release --product revoked --traits PostgreSQL --static-swift-stdlib -Xlinker -s \
 && install -D "$(swift build -c release --show-bin-path)/revoked" /out/revoked

# The last stage's files: the executable, the libraries that it links to, the certificate authorities, the user, and
# what scanners and licences ask for: Debian's record and the copyright of each package that a file is from.
RUN apt-get update -q \
 && apt-get install -qy --no-install-recommends ca-certificates \
 && mkdir -p /image/etc/ssl/certs /image/usr/local/bin /image/var/lib/dpkg /folders \
 && cp /out/revoked /image/usr/local/bin/ \
 && cp /etc/ssl/certs/ca-certificates.crt /image/etc/ssl/certs/ \
 && cp -L /etc/os-release /image/etc/ \
 && ldd /out/revoked >/linked \
 && grep -o '/[^ ]*' /linked >/libraries \
 && xargs -a /libraries cp -L --parents -t /image \
 && sed 's|.*/|*/|' /libraries | xargs dpkg -S /usr/sbin/update-ca-certificates | cut -d: -f1 | sort -u >/packages \
 && xargs -a /packages dpkg-query --status >/image/var/lib/dpkg/status \
 && sed 's|.*|/usr/share/doc/&/copyright|' /packages | xargs cp -L --parents -t /image \
 && echo 'revoked:x:10001:10001::/nonexistent:/usr/sbin/nologin' >/image/etc/passwd \
 && echo 'revoked:x:10001:' >/image/etc/group \
 && echo 'hosts: files dns' >/image/etc/nsswitch.conf \
 && install -d -m 0770 /folders/data

FROM scratch
COPY --from=build /image/ /
# Of group 0 for platforms that run an image as any user of that group (OpenShift).
COPY --from=build --chown=10001:0 /folders/ /
# --build-arg REVISION=$(git rev-parse HEAD) --build-arg CREATED=$(git show -s --format=%cI HEAD)
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=unknown
LABEL org.opencontainers.image.title="revoked" \
      org.opencontainers.image.description="Receives Dynamic's session revocations, durably, and answers who is revoked" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.created="$CREATED"
# Inside the container only the network that it is attached to reaches these: publish 8080 to the proxy, 8081 to the backends.
ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ENV REVOKED_LISTEN=0.0.0.0:8080 REVOKED_PRIVATE_LISTEN=0.0.0.0:8081 REVOKED_DATA=/data
USER 10001:10001
VOLUME /data
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["revoked", "healthcheck"]
ENTRYPOINT ["revoked"]
CMD ["serve"]
