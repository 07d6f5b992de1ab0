/*
 * The floor: the least that answers a READ or WRITE over iSCSI. One thread, one epoll set, a memory disk, one recv()
 * and one sendmsg() a wake-up, and no checks: no SCSI task, no reservation, no limit, no error. It is no target, and
 * no target can be cheaper on this kernel; what a real one costs above it is the price of being one.
 *
 *   floor PORT      logs in whoever comes to 127.0.0.1, whatever the names; LUN and session type are not looked at
 */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    BHS = 48, BLOCK_BYTES = 512, BLOCKS = 1 << 19, DISK_BYTES = BLOCKS * BLOCK_BYTES, WINDOW = 128,
    RECEIVE_BYTES = 1 << 20, IOVECS = 1024, EVENTS = 64
};
enum { SCSI_COMMAND = 1, LOGIN_REQUEST = 3, LOGOUT_REQUEST = 6, SCSI_RESPONSE = 0x21, LOGIN_RESPONSE = 0x23,
       DATA_IN = 0x25, LOGOUT_RESPONSE = 0x26 };
enum { READ_10 = 0x28, WRITE_10 = 0x2a, SERVICE_ACTION_IN_16 = 0x9e };

struct connection {
    int socket;
    uint32_t statSn;
    uint8_t *receive;
    size_t have;
    int count;
    struct iovec iov[IOVECS];
    uint8_t headers[IOVECS][BHS];
};
static uint8_t *disk;

static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
static void put32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }

static void flush(struct connection *c)
{
    for (int i = 0; i < c->count; ) {
        struct msghdr message = { .msg_iov = c->iov + i, .msg_iovlen = c->count - i };
        ssize_t n = sendmsg(c->socket, &message, MSG_NOSIGNAL);
        if (n < 0) break;                           /* the peer has gone: the next recv() says so */
        while (i < c->count && (size_t)n >= c->iov[i].iov_len) n -= c->iov[i++].iov_len;
        if (n) { c->iov[i].iov_base = (char *)c->iov[i].iov_base + n; c->iov[i].iov_len -= n; }
    }
    c->count = 0;
}

static uint8_t *answer(struct connection *c, const uint8_t *request, int opcode, int flags, const void *data,
                       uint32_t n)
{
    if (c->count > IOVECS - 2) flush(c);
    uint8_t *h = memset(c->headers[c->count], 0, BHS);
    uint32_t cmdSn = get32(request + 24);
    put32(h + 4, n);
    h[0] = opcode;
    h[1] = flags;
    memcpy(h + 16, request + 16, 4);
    put32(h + 24, c->statSn++); put32(h + 28, cmdSn + 1); put32(h + 32, cmdSn + WINDOW);
    c->iov[c->count++] = (struct iovec){ h, BHS };
    if (n) c->iov[c->count++] = (struct iovec){ (void *)data, (n + 3) & ~3u };
    return h;
}

static void answerLogin(struct connection *c, const uint8_t *request)
{
    static const char keys[] =
        "HeaderDigest=None\0DataDigest=None\0InitialR2T=Yes\0ImmediateData=Yes\0FirstBurstLength=262144\0"
        "MaxBurstLength=1048576\0MaxRecvDataSegmentLength=262144\0";
    uint8_t *h = answer(c, request, LOGIN_RESPONSE, request[1] & 0x8f, keys, sizeof keys - 1);
    uint32_t cmdSn = get32(request + 24);
    memcpy(h + 8, request + 8, 6);                  /* ISID */
    h[15] = 1;                                      /* TSIH */
    put32(h + 28, cmdSn); put32(h + 32, cmdSn + WINDOW);
}

static void answerCommand(struct connection *c, const uint8_t *request, const uint8_t *data, uint32_t n)
{
    static uint8_t capacity[32];
    const uint8_t *cdb = request + 32;
    uint8_t *place = disk + (uint64_t)(get32(cdb + 2) % BLOCKS) * BLOCK_BYTES;
    switch (cdb[0]) {
    case READ_10:
        answer(c, request, DATA_IN, 0x81, place, get32(request + 20));
        return;
    case SERVICE_ACTION_IN_16:                      /* READ CAPACITY(16) */
        put32(capacity + 4, BLOCKS - 1);
        put32(capacity + 8, BLOCK_BYTES);
        answer(c, request, DATA_IN, 0x81, capacity, sizeof capacity);
        return;
    case WRITE_10:                                  /* wholly as immediate data, which the login made sure of */
        memcpy(place, data, n);
        /* fall through */
    default:
        answer(c, request, SCSI_RESPONSE, 0x80, NULL, 0);
    }
}

static size_t serve(struct connection *c)
{
    size_t used = 0;
    while (c->have - used >= BHS) {
        const uint8_t *h = c->receive + used;
        uint32_t n = get32(h + 4) & 0xffffff, padded = (n + 3) & ~3u;
        if (c->have - used < BHS + padded) break;
        switch (h[0] & 0x3f) {
        case SCSI_COMMAND: answerCommand(c, h, h + BHS, n); break;
        case LOGIN_REQUEST: answerLogin(c, h); break;
        case LOGOUT_REQUEST: answer(c, h, LOGOUT_RESPONSE, 0x80, NULL, 0); break;
        }
        used += BHS + padded;
    }
    return used;
}

static int receive(struct connection *c)            /* false: it has gone */
{
    ssize_t n = recv(c->socket, c->receive + c->have, RECEIVE_BYTES - c->have, MSG_DONTWAIT);
    if (n <= 0) return n < 0;
    c->have += n;
    size_t used = serve(c);
    flush(c);
    c->have -= used;
    memmove(c->receive, c->receive + used, c->have);
    return 1;
}

static void welcome(int set, int listener)
{
    struct connection *c = calloc(1, sizeof *c);
    struct epoll_event event = { EPOLLIN, { .ptr = c } };
    if (!c || !(c->receive = malloc(RECEIVE_BYTES))) exit(1);
    c->socket = accept(listener, NULL, NULL);
    c->statSn = 1;
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    epoll_ctl(set, EPOLL_CTL_ADD, c->socket, &event);
}

int main(int argc, char **argv)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0) };
    int listener = socket(AF_INET, SOCK_STREAM, 0), set = epoll_create1(0);
    struct epoll_event ready[EVENTS], event = { EPOLLIN, { .ptr = NULL } };
    disk = mmap(NULL, DISK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (disk == MAP_FAILED || bind(listener, (void *)&address, sizeof address) || listen(listener, EVENTS)) {
        perror("floor");
        return 1;
    }
    madvise(disk, DISK_BYTES, MADV_HUGEPAGE);
    memset(disk, 0, DISK_BYTES);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int n = epoll_wait(set, ready, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;
            if (!c) { welcome(set, listener); continue; }
            if (receive(c)) continue;
            close(c->socket);
            free(c->receive);
            free(c);
        }
    }
}
