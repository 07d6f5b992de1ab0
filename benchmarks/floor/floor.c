/*
 * The floor: the least that answers a READ or WRITE over iSCSI. One thread, a memory disk, one receive and one send a
 * wake-up for all commands that came, and no checks: no SCSI task, no reservation, no limit, no error. It is no target,
 * and no target can be much cheaper on this kernel; what a real one costs above it is the price of being one.
 *
 *   iscsi-floor [--spin MICROSECONDS] PORT
 *
 * It logs in whoever comes to 127.0.0.1, whatever the names; LUN and session type are not looked at, digests are not
 * offered. A READ is sent from the disk's own memory. The payload of a WRITE is copied once out of the receive buffer
 * as far as it lies there, and the rest is received in its place. With --spin it looks for work that long before it
 * sleeps.
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
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum {
    BHS = 48, BLOCK_BYTES = 512, BLOCKS = 1 << 19, DISK_BYTES = BLOCKS * BLOCK_BYTES, WINDOW = 128,
    SEGMENT_BYTES = 1 << 18,        /* the data segment of both sides */
    RECEIVE_BYTES = 1 << 18,        /* stays in the CPU's cache */
    IOVECS = 1024,                  /* in one sendmsg(): the kernel's UIO_MAXIOV */
    EVENTS = 64, LONE_WAIT_US = 20000, LONE_TURNS = 1024
};
enum { SCSI_COMMAND = 1, LOGIN_REQUEST = 3, DATA_OUT = 5, LOGOUT_REQUEST = 6, SCSI_RESPONSE = 0x21,
       LOGIN_RESPONSE = 0x23, DATA_IN = 0x25, LOGOUT_RESPONSE = 0x26, R2T = 0x31 };
enum { READ_10 = 0x28, WRITE_10 = 0x2a, SERVICE_ACTION_IN_16 = 0x9e };
enum { FINAL = 0x80, STATUS_PRESENT = 1, NO_TAG = 0xffffffff };

struct connection {
    int socket;
    uint32_t statSn, expCmdSn;
    uint8_t *receive;               /* begins with what is left of a header or of a login */
    size_t have;
    uint8_t *sink;                  /* where the rest of a payload goes */
    size_t sinkBytes;
    uint8_t held[BHS];              /* the header of that payload */
    int count;
    struct iovec iov[IOVECS];
    uint8_t headers[IOVECS][BHS];
};
static uint8_t *disk;
static int set, connections;
static struct connection *lone;     /* if there is one connection alone: its recv() waits, not epoll */
static int64_t spinNs;

static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
static void put32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
static uint8_t *placeOf(uint32_t block) { return disk + (uint64_t)(block % BLOCKS) * BLOCK_BYTES; }

static int64_t clockNs(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

/* ---- answers ---- */
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
    put32(h + 4, n);
    h[0] = opcode;
    h[1] = flags;
    memcpy(h + 16, request + 16, 4);
    put32(h + 24, c->statSn); put32(h + 28, c->expCmdSn); put32(h + 32, c->expCmdSn + WINDOW - 1);
    c->iov[c->count++] = (struct iovec){ h, BHS };
    if (n) c->iov[c->count++] = (struct iovec){ (void *)data, (n + 3) & ~3u };
    return h;
}

static void answerLogin(struct connection *c, const uint8_t *request)
{
    static const char keys[] =
        "HeaderDigest=None\0DataDigest=None\0InitialR2T=Yes\0ImmediateData=Yes\0FirstBurstLength=262144\0"
        "MaxBurstLength=1048576\0MaxRecvDataSegmentLength=262144\0";
    c->expCmdSn = get32(request + 24);
    uint8_t *h = answer(c, request, LOGIN_RESPONSE, request[1] & 0x8f, keys, sizeof keys - 1);
    memcpy(h + 8, request + 8, 6);                  /* ISID */
    h[15] = 1;                                      /* TSIH */
    c->statSn++;
}

static void answerRead(struct connection *c, const uint8_t *request, const uint8_t *place, uint32_t bytes)
{
    uint32_t offset = 0;
    for (uint32_t dataSn = 0; ; dataSn++) {
        uint32_t left = bytes - offset, n = left < SEGMENT_BYTES ? left : SEGMENT_BYTES;
        uint8_t *h = answer(c, request, DATA_IN, n == left ? FINAL | STATUS_PRESENT : 0, place + offset, n);
        put32(h + 20, NO_TAG); put32(h + 36, dataSn); put32(h + 40, offset);
        offset += n;
        if (offset == bytes) break;
    }
    c->statSn++;
}

static void answerStatus(struct connection *c, const uint8_t *request, int opcode)
{
    answer(c, request, opcode, FINAL, NULL, 0);
    c->statSn++;
}

/* The tag that comes back with the data says where it goes: nothing has to be remembered of a WRITE. */
static void askForRest(struct connection *c, const uint8_t *request, uint32_t have)
{
    uint8_t *h = answer(c, request, R2T, FINAL, NULL, 0);
    memcpy(h + 8, request + 8, 8);
    memcpy(h + 20, request + 34, 4);
    put32(h + 40, have); put32(h + 44, get32(request + 20) - have);
}

/* ---- requests, whose payload has come ---- */
static void serve(struct connection *c, const uint8_t *request)
{
    static uint8_t capacity[32];
    uint32_t n = get32(request + 4) & 0xffffff, expected = get32(request + 20);
    switch (request[0] & 0x3f) {
    case LOGIN_REQUEST:
        answerLogin(c, request);
        return;
    case LOGOUT_REQUEST:
        answerStatus(c, request, LOGOUT_RESPONSE);
        return;
    case DATA_OUT:
        if (request[1] & FINAL) answerStatus(c, request, SCSI_RESPONSE);
        return;
    case SCSI_COMMAND:
        c->expCmdSn = get32(request + 24) + 1;
        switch (request[32]) {
        case READ_10:
            answerRead(c, request, placeOf(get32(request + 34)), expected);
            return;
        case SERVICE_ACTION_IN_16:                  /* READ CAPACITY(16) */
            put32(capacity + 4, BLOCKS - 1);
            put32(capacity + 8, BLOCK_BYTES);
            answerRead(c, request, capacity, sizeof capacity);
            return;
        case WRITE_10:
            if (n < expected) { askForRest(c, request, n); return; }
            /* fall through */
        default:
            answerStatus(c, request, SCSI_RESPONSE);
        }
    }
}

static uint8_t *sinkOf(const uint8_t *request)      /* NULL: the payload is no block of the disk */
{
    int opcode = request[0] & 0x3f;
    if (opcode == DATA_OUT) return placeOf(get32(request + 20)) + get32(request + 40);
    return opcode == SCSI_COMMAND && request[32] == WRITE_10 ? placeOf(get32(request + 34)) : NULL;
}

static void take(struct connection *c)              /* what lies in the receive buffer */
{
    size_t used = 0;
    while (c->have - used >= BHS) {
        uint8_t *h = c->receive + used;
        size_t n = ((get32(h + 4) & 0xffffff) + 3) & ~3u, there = c->have - used - BHS;
        uint8_t *sink = n ? sinkOf(h) : NULL;
        if (sink) memcpy(sink, h + BHS, there < n ? there : n);
        if (there < n) {
            if (!sink) break;
            memcpy(c->held, h, BHS);
            c->sink = sink + there;
            c->sinkBytes = n - there;
            used = c->have;
            break;
        }
        serve(c, h);
        used += BHS + n;
    }
    c->have -= used;
    memmove(c->receive, c->receive + used, c->have);     /* less than a header, or than a login */
}

/* Returns what recv() did: bytes, 0 or less: nothing came, or it has gone. */
static ssize_t receive(struct connection *c, int flags)
{
    struct iovec places[2] = { { c->sink, c->sinkBytes }, { c->receive + c->have, RECEIVE_BYTES - c->have } };
    struct msghdr message = { .msg_iov = places + !c->sinkBytes, .msg_iovlen = 1 + !!c->sinkBytes };
    ssize_t n = recvmsg(c->socket, &message, flags);
    if (n <= 0) return n;
    size_t placed = (size_t)n < c->sinkBytes ? (size_t)n : c->sinkBytes;
    c->sink += placed;
    c->sinkBytes -= placed;
    c->have += n - placed;
    if (placed && !c->sinkBytes) serve(c, c->held);
    if (!c->sinkBytes) take(c);
    if (c->count) flush(c);
    return n;
}

/* ---- connections ---- */
static void welcome(int listener)
{
    struct connection *c = calloc(1, sizeof *c);
    struct timeval wait = { .tv_usec = LONE_WAIT_US };
    struct epoll_event event = { EPOLLIN, { .ptr = c } };
    if (!c || !(c->receive = malloc(RECEIVE_BYTES))) exit(1);
    c->socket = accept(listener, NULL, NULL);
    c->statSn = 1;
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    setsockopt(c->socket, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    epoll_ctl(set, EPOLL_CTL_ADD, c->socket, &event);
    lone = connections++ ? NULL : c;
}

static void dismiss(struct connection *c)
{
    close(c->socket);
    free(c->receive);
    free(c);
    connections--;
    lone = NULL;
}

/* One connection: no system call but its receives and sends, until nothing comes for a while. */
static void serveLone(struct connection *c)
{
    int64_t last = spinNs ? clockNs() : 0;
    for (int turn = 0; turn < LONE_TURNS; turn++) {         /* and then somebody else may want to come in */
        int spins = spinNs && clockNs() - last < spinNs;
        ssize_t n = receive(c, spins ? MSG_DONTWAIT : 0);
        if (!n) { dismiss(c); return; }
        if (n > 0) last = spinNs ? clockNs() : 0;
        else if (!spins) return;
    }
}

static void pass(int listener)
{
    struct epoll_event ready[EVENTS];
    int64_t since = spinNs ? clockNs() : 0;
    int n;
    do n = epoll_wait(set, ready, EVENTS, spinNs && clockNs() - since < spinNs ? 0 : -1);
    while (!n);
    for (int i = 0; i < n; i++) {
        struct connection *c = ready[i].data.ptr;
        if (!c) welcome(listener);
        else if (c == lone) serveLone(c);
        else if (!receive(c, MSG_DONTWAIT)) dismiss(c);
    }
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "--spin")) { spinNs = atoll(argv[2]) * 1000; argv += 2; argc -= 2; }
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                   .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0) };
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct epoll_event event = { EPOLLIN, { .ptr = NULL } };
    set = epoll_create1(0);
    /* A transfer that begins in the last blocks runs on behind them. */
    disk = mmap(NULL, DISK_BYTES + (16 << 20), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
    if (disk == MAP_FAILED || bind(listener, (void *)&address, sizeof address) || listen(listener, EVENTS)) {
        perror("iscsi-floor");
        return 1;
    }
    madvise(disk, DISK_BYTES, MADV_HUGEPAGE);
    memset(disk, 0, DISK_BYTES);
    epoll_ctl(set, EPOLL_CTL_ADD, listener, &event);
    for (;;) pass(listener);
}
