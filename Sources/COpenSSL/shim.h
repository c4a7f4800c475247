#pragma once
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

// What OpenSSL gives as a macro or as a function of variable arguments, which Swift does not see.

// A new key on the curve P-256.
static inline EVP_PKEY *cossl_new_key(void) { return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256"); }

// Without it a key with a passphrase would ask for it on the terminal.
static inline int cossl_no_passphrase(char *text, int size, int writes, void *user) {
    (void)text, (void)size, (void)writes, (void)user;
    return -1;
}

static inline EVP_PKEY *cossl_read_key(BIO *source) {
    return PEM_read_bio_PrivateKey(source, NULL, cossl_no_passphrase, NULL);
}

// The bytes of a memory BIO; they belong to it.
static inline long cossl_memory(BIO *bio, char **bytes) { return BIO_get_mem_data(bio, bytes); }

// Adds an extension written as in OpenSSL's configuration files; 1 when it was taken.
static inline int cossl_add_extension(X509 *certificate, X509 *issuer, int kind, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
    if (!extension) return 0;
    int taken = X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return taken;
}

// The name at a place of a certificate's subject alternative names: its kind, and its bytes for DNS names and addresses.
static inline int cossl_name_at(const GENERAL_NAMES *names, int place, const unsigned char **bytes, int *count) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, place);
    if (name->type == GEN_DNS || name->type == GEN_IPADD) {
        const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
        *bytes = ASN1_STRING_get0_data(text);
        *count = ASN1_STRING_length(text);
    }
    return name->type;
}

static inline int cossl_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

// The chain that a peer presented, of which the first is its own.
static inline int cossl_chain_count(const STACK_OF(X509) *chain) { return chain ? sk_X509_num(chain) : 0; }
static inline X509 *cossl_chain_at(const STACK_OF(X509) *chain, int place) { return sk_X509_value(chain, place); }

// TLS 1.2 and 1.3 and nothing that was given up since: no compression, no renegotiation. Buffers go when they are empty:
// most connections are idle most of the time.
static inline int cossl_prepare(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1 &&
           SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1;
}

static inline int cossl_add_chain(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}

static inline int cossl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

// The BIO has nothing to read now; it will later.
static inline void cossl_retry_read(BIO *bio) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);
}

static inline void cossl_no_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

// Narrows what a session speaks; for tests of what is refused.
static inline int cossl_set_versions(SSL *session, int lowest, int highest) {
    SSL_set_security_level(session, 0);
    return SSL_set_min_proto_version(session, lowest) == 1 && SSL_set_max_proto_version(session, highest) == 1;
}

static inline int cossl_reason(unsigned long code) { return ERR_GET_REASON(code); }

// Another's public key of its parts, or null. Here, because what the parts are made of must stay where it is meanwhile.
static inline EVP_PKEY *cossl_public_key(const char *type, const OSSL_PARAM *parts) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = parts ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, (OSSL_PARAM *)parts) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_CTX *check = key ? EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL) : NULL;
    if (key && (!check || EVP_PKEY_public_check(check) != 1)) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(check);
    return key;
}

static inline EVP_PKEY *cossl_rsa_public_key(const unsigned char *n, int nSize, const unsigned char *e, int eSize) {
    EVP_PKEY *key = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    BIGNUM *modulus = BN_bin2bn(n, nSize, NULL), *exponent = BN_bin2bn(e, eSize, NULL);
    if (builder && modulus && exponent && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1) {
        OSSL_PARAM *parts = OSSL_PARAM_BLD_to_param(builder);
        key = cossl_public_key("RSA", parts);
        OSSL_PARAM_free(parts);
    }
    BN_free(modulus);
    BN_free(exponent);
    OSSL_PARAM_BLD_free(builder);
    return key;
}

// A point in its uncompressed form: 4, x, y.
static inline EVP_PKEY *cossl_p256_public_key(const unsigned char *point) {
    OSSL_PARAM parts[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, (void *)point, 65),
        OSSL_PARAM_construct_end(),
    };
    return cossl_public_key("EC", parts);
}
