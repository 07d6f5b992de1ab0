/* The blocking part of a session: login, the commands before the load, logout. RFC 7143 §6 and §11.12 to §11.15. */
#include "load.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOGIN_TIMEOUT_S = 15, LOGOUT_TIMEOUT_US = 100000, LOGIN_ROUNDS = 10, READY_TRIES = 20, SENSE_BYTES = 32 };
enum stage { SECURITY_STAGE = 0, OPERATIONAL_STAGE = 1, FULL_FEATURE_PHASE = 3 };
enum { TRANSIT = 0x80, CONTINUE = 0x40 };

static void readAll(struct connection *c, void *p, size_t n)
{
    while (n) {
        ssize_t got = recv(c->socket, p, n, 0);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) fail("connection %d: %s", c->id, got ? strerror(errno) : "closed by the target");
        n -= got;
        p = (char *)p + got;
    }
}

static void sendPdu(struct connection *c, uint8_t *header, const void *data, uint32_t n)
{
    uint8_t pdu[BHS + 4 + TEXT_BYTES + 8] = { 0 };
    uint32_t length = BHS, crc, padded = (n + 3) & ~3u;
    if (n > TEXT_BYTES) fail("text too long");
    put24(header + 5, n);
    memcpy(pdu, header, BHS);
    if (c->headerDigest) { crc = crc32c(header, BHS); memcpy(pdu + length, &crc, 4); length += 4; }
    if (n) {
        memcpy(pdu + length, data, n);
        if (c->dataDigest) { crc = crc32c(pdu + length, padded); memcpy(pdu + length + padded, &crc, 4); padded += 4; }
        length += padded;
    }
    for (uint32_t done = 0; done < length; ) {
        ssize_t sent = send(c->socket, pdu + done, length - done, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR) fail("connection %d: send: %s", c->id, strerror(errno));
        if (sent > 0) done += sent;
    }
}

static uint32_t receivePdu(struct connection *c, uint8_t *header, uint8_t *data, uint32_t max)
{
    uint8_t additional[1024 + 8];
    uint32_t crc;
    readAll(c, header, BHS);
    if (header[4]) readAll(c, additional, header[4] * 4);
    if (c->headerDigest) {
        readAll(c, &crc, 4);
        if (!header[4] && crc != crc32c(header, BHS)) fail("connection %d: bad header digest", c->id);
    }
    uint32_t n = get24(header + 5), padded = (n + 3) & ~3u;
    if (padded > max) fail("connection %d: PDU 0x%02x with %u bytes of data", c->id, header[0], n);
    readAll(c, data, padded);
    if (n && c->dataDigest) {
        readAll(c, &crc, 4);
        if (crc != crc32c(data, padded)) fail("connection %d: bad data digest", c->id);
    }
    return n;
}

void advanceWindow(struct connection *c, const uint8_t *header)
{
    uint32_t max = get32(header + 32);
    if ((int32_t)(max - c->maxCmdSn) > 0) c->maxCmdSn = max;        /* serial number arithmetic, §4.2.2.1 */
}

int senseKey(const uint8_t *s) { return ((s[0] & 0x7e) == 0x72 ? s[1] : s[2]) & 15; }
const char *senseText(const uint8_t *s)
{
    static char text[64];
    int descriptor = (s[0] & 0x7e) == 0x72;
    snprintf(text, sizeof text, "sense %x/%02x/%02x", senseKey(s), descriptor ? s[2] : s[12],
             descriptor ? s[3] : s[13]);
    return text;
}

static void dial(struct connection *c)
{
    struct addrinfo hint = { .ai_socktype = SOCK_STREAM }, *address;
    struct timeval limit = { .tv_sec = LOGIN_TIMEOUT_S };
    if (getaddrinfo(options.host, options.port, &hint, &address)) fail("cannot resolve %s", options.host);
    c->socket = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->socket < 0 || connect(c->socket, address->ai_addr, address->ai_addrlen))
        fail("%s:%s: %s", options.host, options.port, strerror(errno));
    freeaddrinfo(address);
    setsockopt(c->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

struct text { char bytes[4096]; uint32_t length; };

__attribute__((format(printf, 2, 3))) static void putKey(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int n = vsnprintf(t->bytes + t->length, sizeof t->bytes - t->length, format, arguments) + 1;   /* with its NUL */
    va_end(arguments);
    if (n > (int)(sizeof t->bytes - t->length)) fail("login text too long");
    t->length += n;
}

static void putNames(struct text *t, int stage)
{
    putKey(t, "InitiatorName=%s", options.initiator);
    putKey(t, "TargetName=%s", options.target);
    putKey(t, "SessionType=Normal");
    if (stage == SECURITY_STAGE) putKey(t, "AuthMethod=None");
}

static void putOperationalKeys(struct text *t)
{
    putKey(t, "HeaderDigest=%s", options.headerDigest ? "CRC32C" : "None");
    putKey(t, "DataDigest=%s", options.dataDigest ? "CRC32C" : "None");
    putKey(t, "InitialR2T=%s", options.initialR2t ? "Yes" : "No");
    putKey(t, "ImmediateData=%s", options.noImmediate ? "No" : "Yes");
    putKey(t, "MaxRecvDataSegmentLength=%u", options.receiveSegment);
    putKey(t, "FirstBurstLength=%u", options.firstBurst);
    putKey(t, "MaxBurstLength=%u", options.maxBurst);
    putKey(t, "MaxOutstandingR2T=1");
    putKey(t, "MaxConnections=1");
    putKey(t, "DefaultTime2Wait=2");
    putKey(t, "DefaultTime2Retain=0");
    putKey(t, "DataPDUInOrder=Yes");
    putKey(t, "DataSequenceInOrder=Yes");
    putKey(t, "ErrorRecoveryLevel=0");
}

static uint32_t receiveLoginReply(struct connection *c, int stage, uint8_t *header, uint8_t *reply, uint32_t max)
{
    for (uint32_t length = 0; ; ) {                     /* one reply may be spread over several PDUs: the C bit */
        length += receivePdu(c, header, reply + length, max - length);
        int class = header[36], detail = header[37];
        if ((header[0] & OPCODE_MASK) != LOGIN_RESPONSE) fail("connection %d: PDU 0x%02x in login", c->id, header[0]);
        if (class)
            fail("connection %d: login refused, status %02x%02x%s", c->id, class, detail,
                 class == 1 ? " (redirected)" : class == 2 && detail == 1 ? " (authentication needed)" : "");
        c->expStatSn = get32(header + 24) + 1;
        advanceWindow(c, header);
        if (!(header[1] & CONTINUE)) return length;
        uint8_t empty[BHS] = { LOGIN_REQUEST | IMMEDIATE, stage << 2 };
        memcpy(empty + 8, header + 8, 8);
        put32(empty + 16, c->id); put32(empty + 24, c->cmdSn); put32(empty + 28, c->expStatSn);
        sendPdu(c, empty, NULL, 0);
    }
}

static void adopt(struct connection *c, const char *key, const char *value, int *digests)
{
    long number = strtol(value, NULL, 0);
    int yes = !strcmp(value, "Yes");
    if (!strcmp(key, "HeaderDigest")) digests[0] = !strcmp(value, "CRC32C");
    else if (!strcmp(key, "DataDigest")) digests[1] = !strcmp(value, "CRC32C");
    else if (!strcmp(key, "InitialR2T")) c->initialR2t = yes;
    else if (!strcmp(key, "ImmediateData")) c->immediateData = yes;
    else if (!strcmp(key, "FirstBurstLength") && number > 0) c->firstBurst = number;
    else if (!strcmp(key, "MaxBurstLength") && number > 0) c->maxBurst = number;
    else if (!strcmp(key, "MaxRecvDataSegmentLength") && number > 0) c->sendSegment = number;
}

static void adoptAll(struct connection *c, char *reply, uint32_t length, int *digests)
{
    reply[length] = 0;
    for (char *key = reply, *end; key < reply + length; key = end + 1) {
        char *value = strchr(key, '=');
        end = key + strlen(key);
        if (!value) continue;
        *value++ = 0;
        adopt(c, key, value, digests);
    }
}

void login(struct connection *c)
{
    int stage = options.security ? SECURITY_STAGE : OPERATIONAL_STAGE, digests[2] = { 0, 0 }, named = 0, offered = 0;
    dial(c);
    c->headerDigest = c->dataDigest = 0;                /* no digests before the full feature phase, §6.1 */
    c->cmdSn = c->maxCmdSn = 1;
    c->expStatSn = 0;
    c->initialR2t = c->immediateData = 1;               /* the defaults of §13 hold for what is not answered */
    c->firstBurst = 65536; c->maxBurst = 262144; c->sendSegment = TEXT_BYTES;
    for (int round = 0; stage != FULL_FEATURE_PHASE; round++) {
        struct text text = { .length = 0 };
        uint8_t reply[16384 + 4];
        int next = stage == SECURITY_STAGE ? OPERATIONAL_STAGE : FULL_FEATURE_PHASE;
        uint8_t header[BHS] = { LOGIN_REQUEST | IMMEDIATE, TRANSIT | stage << 2 | next };
        if (round > LOGIN_ROUNDS) fail("connection %d: login does not end", c->id);
        if (!named) putNames(&text, stage);
        named = 1;
        if (stage == OPERATIONAL_STAGE && !offered) { putOperationalKeys(&text); offered = 1; }
        header[8] = 0x80;                               /* ISID of the random type: process and connection */
        put24(header + 9, getpid()); put16(header + 12, c->id);
        put32(header + 16, c->id); put32(header + 24, c->cmdSn); put32(header + 28, c->expStatSn);
        sendPdu(c, header, text.bytes, text.length);
        uint32_t length = receiveLoginReply(c, stage, header, reply, sizeof reply - 4);
        adoptAll(c, (char *)reply, length, digests);
        if (header[1] & TRANSIT) stage = header[1] & 3;
    }
    if (digests[0] != options.headerDigest || digests[1] != options.dataDigest)
        fail("the target does not agree to the digests asked for");
    c->headerDigest = digests[0]; c->dataDigest = digests[1];
    if (options.initialR2t) c->initialR2t = 1;
    if (options.noImmediate) c->immediateData = 0;
    c->firstBurst = min32(min32(c->firstBurst, options.firstBurst), c->maxBurst);
}

/* One command, awaited. Returns its status, or 0x100 | response. */
static int execute(struct connection *c, const uint8_t *cdb, int cdbLength, uint8_t *in, uint32_t inBytes,
                   uint8_t *sense)
{
    uint8_t header[BHS] = { SCSI_COMMAND, 0x80 | (inBytes ? 0x40 : 0) | 1 }, data[TEXT_BYTES + 4];
    memcpy(header + 8, c->lun, 8);
    put32(header + 16, 0x7000 + c->id); put32(header + 20, inBytes);
    put32(header + 24, c->cmdSn++); put32(header + 28, c->expStatSn);
    memcpy(header + 32, cdb, cdbLength);
    sendPdu(c, header, NULL, 0);
    for (;;) {
        uint32_t n = receivePdu(c, header, data, sizeof data), offset = get32(header + 40);
        advanceWindow(c, header);
        switch (header[0] & OPCODE_MASK) {
        case DATA_IN:
            if (offset <= inBytes && n <= inBytes - offset) memcpy(in + offset, data, n);
            if (!(header[1] & 1)) break;
            c->expStatSn = get32(header + 24) + 1;
            return header[3];
        case SCSI_RESPONSE:
            c->expStatSn = get32(header + 24) + 1;
            if (n > 2) memcpy(sense, data + 2, min32(n - 2, SENSE_BYTES));
            return header[2] ? 0x100 | header[2] : header[3];
        case NOP_IN:
            break;
        default:
            fail("connection %d: unexpected PDU 0x%02x", c->id, header[0]);
        }
    }
}

void prepareUnit(struct connection *c)                  /* clear Unit Attentions; the first one learns the size */
{
    uint8_t sense[64] = { 0 }, capacity[32] = { 0 };
    const uint8_t testUnitReady[6] = { 0 }, readCapacity10[10] = { 0x25 };
    const uint8_t readCapacity16[16] = { 0x9e, 0x10, [13] = 32 };
    int status = 0;
    for (int try = 0; try < READY_TRIES && (status = execute(c, testUnitReady, 6, NULL, 0, sense)); try++)
        if (try > 5) usleep(100000);
    if (status) fail("connection %d: unit not ready: status 0x%x, %s", c->id, status, senseText(sense));
    if (c->id) return;
    if (options.tape) {
        const uint8_t rewind[6] = { 1 };
        if ((status = execute(c, rewind, 6, NULL, 0, sense)))
            fail("REWIND: status 0x%x, %s", status, senseText(sense));
        blockLength = 512;
        blockCount = options.span / blockLength;
        return;
    }
    status = execute(c, readCapacity16, 16, capacity, sizeof capacity, sense);
    blockCount = ((uint64_t)get32(capacity) << 32 | get32(capacity + 4)) + 1;
    blockLength = get32(capacity + 8);
    if (status) {
        status = execute(c, readCapacity10, 10, capacity, 8, sense);
        blockCount = (uint64_t)get32(capacity) + 1;
        blockLength = get32(capacity + 4);
    }
    if (status || !blockLength) fail("READ CAPACITY: status 0x%x, %s", status, senseText(sense));
}

void logout(struct connection *c)                       /* and do not wait long for the answer */
{
    uint8_t header[BHS] = { LOGOUT_REQUEST | IMMEDIATE, 0x80 };
    struct timeval limit = { .tv_usec = LOGOUT_TIMEOUT_US };
    put32(header + 16, 0x7fff0000); put32(header + 24, c->cmdSn); put32(header + 28, c->expStatSn);
    setsockopt(c->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sendPdu(c, header, NULL, 0);
    if (recv(c->socket, header, BHS, MSG_WAITALL) < 0 && errno != EAGAIN) complain("logout: %s", strerror(errno));
    close(c->socket);
}
