#include <mosquitto.h>
#include <mqtt_protocol.h>
// mosquitto_ssl_get() returns an SSL; why a certificate was refused is known to OpenSSL alone.
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
