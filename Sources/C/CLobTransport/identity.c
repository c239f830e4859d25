// A server's certificate and key, and the authorities it accepts client certificates from: read when it
// starts to listen, and again on request. A connection keeps what was in force when its handshake began.
#include "internal.h"
#include <openssl/err.h>
#include <stdlib.h>

// Without this, the library would prompt for a pass phrase on the terminal.
static int no_password(char *text, int capacity, int writes, void *user) {
    (void)text, (void)capacity, (void)writes, (void)user;
    return -1;
}

// Tried in a separate context, so that an unusable file changes nothing.
static SSL_CTX *read_identity(const ct_server *server, char *text, size_t capacity) {
    SSL_CTX *tls = ct_fails(CT_NO_MEMORY) ? NULL : SSL_CTX_new(TLS_server_method());
    if (!tls) snprintf(text, capacity, "no memory for a certificate");
    if (!tls) return NULL;
    SSL_CTX_set_default_passwd_cb(tls, no_password);
    const char *authority = server->client_authority_path;
    bool usable = SSL_CTX_use_certificate_chain_file(tls, server->certificate_path) == 1
        && SSL_CTX_use_PrivateKey_file(tls, server->key_path, SSL_FILETYPE_PEM) == 1
        && SSL_CTX_check_private_key(tls) == 1;
    if (!usable) snprintf(text, capacity, "no usable certificate and key in %s", server->certificate_path);
    if (usable && authority) {
        STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(authority);
        usable = names && SSL_CTX_load_verify_file(tls, authority) == 1;
        if (!usable) snprintf(text, capacity, "no certificate authority in %s", authority);
        SSL_CTX_set_client_CA_list(tls, names);
    }
    ERR_clear_error();
    if (usable) return tls;
    SSL_CTX_free(tls);
    return NULL;
}

static int show_identity(SSL *ssl, void *user) {
    const ct_server *server = user;
    SSL_CTX *identity = server->identity;
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(identity, &chain);
    SSL_certs_clear(ssl);
    X509 *certificate = SSL_CTX_get0_certificate(identity);
    if (SSL_use_cert_and_key(ssl, certificate, SSL_CTX_get0_privatekey(identity), chain, 1) != 1) return 0;
    if (!server->client_authority_path) return 1;
    SSL_set_client_CA_list(ssl, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(identity)));
    return SSL_set1_verify_cert_store(ssl, SSL_CTX_get_cert_store(identity)) == 1;
}

void ct_identity_install(ct_server *server, SSL_CTX *tls) {
    SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
    SSL_CTX_set_cert_cb(tls, show_identity, server);
    if (!server->client_authority_path) return;
    SSL_CTX_set_verify(tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    // A resumed session would not be asked for its certificate.
    SSL_CTX_set_session_cache_mode(tls, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(tls, 0);
    SSL_CTX_set_options(tls, SSL_OP_NO_TICKET);
}

bool ct_identity_read(ct_server *server, const ct_listen_options *options, char *text, size_t capacity) {
    if (!options->certificate_path) return true;
    server->certificate_path = ct_copy(options->certificate_path);
    server->key_path = ct_copy(options->key_path ?: "");
    const char *authority = options->client_authority_path;
    server->client_authority_path = authority ? ct_copy(authority) : NULL;
    // Without the path of an authority nobody would be asked for a certificate.
    bool is_kept = server->certificate_path && server->key_path
        && (!authority || server->client_authority_path);
    if (!is_kept) snprintf(text, capacity, "no memory for a certificate");
    if (!is_kept) return false;
    server->identity = read_identity(server, text, capacity);
    return server->identity;
}

bool ct_reload_identities(ct_loop *loop, char *text, size_t capacity) {
    for (ct_server *server = loop->servers; server; server = server->next) {
        if (!server->identity) continue;
        SSL_CTX *identity = read_identity(server, text, capacity);
        if (!identity) return false;
        SSL_CTX_free(server->identity);
        server->identity = identity;
    }
    return true;
}

void ct_server_free(ct_server *server) {
    SSL_CTX_free(server->identity);
    free(server->certificate_path);
    free(server->key_path);
    free(server->client_authority_path);
    free(server);
}
