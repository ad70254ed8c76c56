#!/bin/bash
# mk/dist.sh VERSION: dist/souk-VERSION.tar.gz with what git knows, the same bytes
# for the same commit.
set -eu
name=souk-$1
mkdir -p dist
git archive --format=tar --prefix="$name/" HEAD | gzip -9n >"dist/$name.tar.gz"
(cd dist && sha256sum "$name.tar.gz" | tee "$name.tar.gz.sha256")
