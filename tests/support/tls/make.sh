#!/bin/sh
# Make these files anew: a CA, a certificate of it for "localhost" and 127.0.0.1 with its key, and a CA that signed nothing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
cd "$(mktemp -d)"
cat >ca.cnf <<END
[ca]
default_ca = all
[all]
database = index
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
subjectAltName = DNS:localhost, IP:127.0.0.1
extendedKeyUsage = serverAuth, clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
END
touch index
key() {
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key"
  openssl req -new -key "$1.key" -subj "/CN=$2" -out "$1.csr"
}
sign() {
  name=$1
  shift
  openssl ca -batch -notext -config ca.cnf -startdate 20200101000000Z -enddate 21200101000000Z \
    -in "$name.csr" -out "$name.pem" "$@"
}
key ca "slotbeam test CA"
sign ca -selfsign -keyfile ca.key -extensions root
key other "another test CA"
sign other -selfsign -keyfile other.key -extensions root
key server localhost
sign server -cert ca.pem -keyfile ca.key -extensions leaf
cp ca.pem other.pem server.pem server.key "$here"
