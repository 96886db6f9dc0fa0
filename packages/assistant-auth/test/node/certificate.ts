/**
 * A self-signed certificate for `client.example` until 2126, and its private key, which protects nothing. They
 * were created with `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj
 * /CN=client.example -addext subjectAltName=DNS:client.example`.
 */

export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUoysI09QR2Nk1nZ6
Qsw8M+IsgQSlsg6zW/xZx0S9dVahRANCAAR+3MLCgavqeLNe16FgefQybmHyBTDT
6aMW0fgA7GWU7L1O6vXoK5rS0MdRyVtq901RZeZBG5hPyQXRPEGz69Fw
-----END PRIVATE KEY-----
`;

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBpDCCAUqgAwIBAgIUZcEHzTgolsQXCSXchYpnNed9RW8wCgYIKoZIzj0EAwIw
GTEXMBUGA1UEAwwOY2xpZW50LmV4YW1wbGUwIBcNMjYxMTI5MDc0NDIxWhgPMjEy
NjExMDUwNzQ0MjFaMBkxFzAVBgNVBAMMDmNsaWVudC5leGFtcGxlMFkwEwYHKoZI
zj0CAQYIKoZIzj0DAQcDQgAEftzCwoGr6nizXtehYHn0Mm5h8gUw0+mjFtH4AOxl
lOy9Tur16Cua0tDHUclbavdNUWXmQRuYT8kF0TxBs+vRcKNuMGwwHQYDVR0OBBYE
FPWFk109VNBqj/rP1FEG6F4BFEirMB8GA1UdIwQYMBaAFPWFk109VNBqj/rP1FEG
6F4BFEirMA8GA1UdEwEB/wQFMAMBAf8wGQYDVR0RBBIwEIIOY2xpZW50LmV4YW1w
bGUwCgYIKoZIzj0EAwIDSAAwRQIgQiGVcSpIki7fIhyS30vwZDTX9yKiNNqAZI5A
KiBSgZgCIQCdsmMNPr1vwTdw7fOgPFoRfQ/QFLVDyKitXcR7r2OBfw==
-----END CERTIFICATE-----
`;
