// As in clinux.h: the modules must agree on what glibc declares.
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include <mosquitto.h>
#include <mqtt_protocol.h>
// mosquitto_ssl_get() returns an SSL; why a certificate was refused is known to OpenSSL alone.
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
