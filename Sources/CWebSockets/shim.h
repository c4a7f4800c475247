#pragma once
#include <libwebsockets.h>

// A timer of libwebsockets with room for the Swift object that it belongs to.
struct cws_timer {
    lws_sorted_usec_list_t sul;
    void *owner;
};

static inline const char *cws_protocol_name(void) { return "link"; }

// LWS_WRITE_RAW is a macro. A raw write only reads the bytes, although libwebsockets' parameter is not const.
static inline int cws_write(struct lws *wsi, const unsigned char *bytes, size_t count) {
    return lws_write(wsi, (unsigned char *)bytes, count, LWS_WRITE_RAW);
}

// What every context and vhost of ours has in common. libwebsockets would take the proxy of the environment, even to
// loopback, unless it is given an address, which may be empty.
static inline void cws_prepare(struct lws_context_creation_info *info, const struct lws_protocols *protocols,
                               void *user) {
    info->port = CONTEXT_PORT_NO_LISTEN;
    info->gid = -1;
    info->uid = -1;
    info->pt_serv_buf_size = 64 << 10;
    info->options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS;
    info->protocols = protocols;
    info->user = user;
    info->http_proxy_address = "";
    // Finds peers that vanished without a word.
    info->ka_time = 30;
    info->ka_interval = 10;
    info->ka_probes = 3;
}

// Listen for connections that are handed over as plain byte streams. `interface` must outlive the context.
static inline void cws_prepare_listener(struct lws_context_creation_info *info, const char *interface, int port,
                                        int ipv6) {
    info->iface = interface;
    info->port = port;
    info->listen_accept_role = "raw-skt";
    info->listen_accept_protocol = cws_protocol_name();
    info->options |= LWS_SERVER_OPTION_ADOPT_APPLY_LISTEN_ACCEPT_CONFIG | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND;
    if (!ipv6) info->options |= LWS_SERVER_OPTION_DISABLE_IPV6;
}

// Begins a connection as a plain byte stream.
static inline struct lws *cws_connect(struct lws_context *context, struct lws_vhost *vhost, const char *host, int port,
                                      void *user) {
    struct lws_client_connect_info info = {0};
    info.context = context;
    info.vhost = vhost;
    info.address = host;
    info.host = host;
    info.origin = host;
    info.path = "/";
    info.port = port;
    info.method = "RAW";
    info.local_protocol_name = cws_protocol_name();
    info.opaque_user_data = user;
    return lws_client_connect_via_info(&info);
}

// Ends a connection from outside its own callback, at the next round of the loop.
static inline void cws_kill(struct lws *wsi) { lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC); }
