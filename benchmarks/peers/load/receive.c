/* The receiving half of the load: bytes to PDUs, PDUs to finished commands. */
#include "load.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { BUSY_RETRY_NS = 200000, FINAL = 0x80, STATUS_PRESENT = 0x01, RESIDUAL = 0x06, UNIT_ATTENTION = 6 };
static uint8_t *sharedBuffer;

void initializeReceive(void) { sharedBuffer = allocate(RECEIVE_BYTES + 64); }

static void takeStatSn(struct connection *c, const uint8_t *header)     /* §4.2.2.2: each response has the next one */
{
    uint32_t statSn = get32(header + 24);
    if (statSn != c->expStatSn) {
        complain("connection %d: StatSN 0x%x where 0x%x was next", c->id, statSn, c->expStatSn);
        verdict.errors++;
    }
    c->expStatSn = statSn + 1;
}

static int taskOf(struct connection *c, const uint8_t *header)
{
    uint32_t tag = get32(header + 16);
    int i = tag & 0xffff;
    if (i < options.depth && c->tasks[i].busy && tag == taskTag(c, i)) return i;
    complain("connection %d: PDU 0x%02x for unknown task 0x%08x", c->id, header[0], tag);
    verdict.errors++;
    return -1;
}

static void retryLater(struct connection *c, int i, int status)
{
    if (status == CHECK_CONDITION) statistics.attentionRetries++;
    else statistics.fullRetries++;
    c->tasks[i].retryAt = status == CHECK_CONDITION ? 0 : now + BUSY_RETRY_NS;
    enqueue(c, &c->retry, i);                       /* also while stopping: the drain finishes it */
}

static int judgeResponse(struct task *t, int response, int status, int residual, const uint8_t *sense)
{
    if (response || status != GOOD) {
        complain("%s of block %llu failed: response %d, status 0x%02x, %s", t->write ? "write" : "read",
                 (unsigned long long)t->unit * (options.blockBytes / blockLength), response, status, senseText(sense));
        return 0;
    }
    if (residual || (!t->write && t->received != options.blockBytes)) {
        complain("%s of unit %llu: GOOD with %u bytes received%s", t->write ? "write" : "read",
                 (unsigned long long)t->unit, t->received, residual ? " and a residual" : "");
        return 0;
    }
    return 1;
}

static void finish(struct connection *c, int i, int response, int status, int residual, const uint8_t *data, uint32_t n)
{
    struct task *t = &c->tasks[i];
    uint8_t sense[64] = { 0 };
    if (n > 2) memcpy(sense, data + 2, min32(n - 2, sizeof sense));
    if (t->outOffset < t->outEnd) withdraw(c, &c->out, i);      /* done before all its Data-Out was sent */
    t->busy = 0;
    c->inFlight--;
    int attention = status == CHECK_CONDITION && senseKey(sense) == UNIT_ATTENTION;
    if (!response && (status == BUSY || status == TASK_SET_FULL || attention)) {
        retryLater(c, i, status);
        return;
    }
    int good = judgeResponse(t, response, status, residual, sense);
    if (options.verify) settleUnit(t, good);
    c->idle[c->idleCount++] = i;
    verdict.lastDone = now;
    if (!good) verdict.errors++;
    else if (measuring) recordLatency(now - t->begun, t->write);
}

static void takeDataIn(struct connection *c, const uint8_t *header, const uint8_t *data, uint32_t n)
{
    int i = taskOf(c, header);
    if (i < 0) return;
    struct task *t = &c->tasks[i];
    int misplaced = get32(header + 40) != t->received || get32(header + 36) != t->dataSn;
    if (t->write || misplaced || n > options.blockBytes - t->received) {
        connectionLost(c, "Data-In out of order or too long");
        return;
    }
    if (options.verify) memcpy(t->data + t->received, data, n);
    t->received += n;
    t->dataSn++;
    if (!(header[1] & STATUS_PRESENT)) return;
    takeStatSn(c, header);
    finish(c, i, 0, header[3], header[1] & RESIDUAL, NULL, 0);
}

static void takeR2t(struct connection *c, const uint8_t *header)
{
    uint32_t offset = get32(header + 40), length = get32(header + 44);
    int i = taskOf(c, header);
    if (i < 0) return;
    struct task *t = &c->tasks[i];
    if (!t->write || t->outOffset < t->outEnd || !length || length > c->maxBurst || get32(header + 36) != t->dataSn ||
        offset > options.blockBytes || length > options.blockBytes - offset) {
        connectionLost(c, "R2T that does not fit");
        return;
    }
    t->dataSn++;
    t->outOffset = offset; t->outEnd = offset + length; t->outSn = 0; t->outTag = get32(header + 20);
    memcpy(t->outLun, header + 8, 8);
    enqueue(c, &c->out, i);
}

static void takeReject(struct connection *c, const uint8_t *header, const uint8_t *data, uint32_t n)
{
    int i, known = n >= BHS;
    complain("connection %d: Reject, reason 0x%02x, of PDU 0x%02x", c->id, header[2], known ? data[0] : 0xff);
    verdict.errors++;
    if (known && (data[0] & OPCODE_MASK) == SCSI_COMMAND && (i = taskOf(c, data)) >= 0)
        finish(c, i, 0xff, 0, 0, NULL, 0);
}

static void take(struct connection *c, const uint8_t *header, const uint8_t *data, uint32_t n)
{
    int i;
    advanceWindow(c, header);
    switch (header[0] & OPCODE_MASK) {
    case DATA_IN:
        takeDataIn(c, header, data, n);
        break;
    case SCSI_RESPONSE:
        takeStatSn(c, header);
        if ((i = taskOf(c, header)) >= 0) finish(c, i, header[2], header[3], header[1] & RESIDUAL, data, n);
        break;
    case R2T:
        takeR2t(c, header);
        break;
    case NOP_IN:
        if (get32(header + 20) != NO_TAG) answerPing(c, header);
        break;
    case ASYNC_MESSAGE:
        takeStatSn(c, header);
        complain("connection %d: Async Message, event %d%s%s", c->id, header[36], n > 2 ? ", " : "",
                 n > 2 ? senseText(data + 2) : "");
        break;
    case REJECT:
        takeStatSn(c, header);
        takeReject(c, header, data, n);
        break;
    default:
        connectionLost(c, "unexpected PDU");
    }
}

static int digestsHold(struct connection *c, const uint8_t *header, size_t headerBytes, size_t dataBytes, int whole)
{
    uint32_t crc;
    if (c->headerDigest) {
        memcpy(&crc, header + headerBytes - 4, 4);
        if (crc != crc32c(header, headerBytes - 4)) { connectionLost(c, "bad header digest"); return 0; }
    }
    if (c->dataDigest && dataBytes && whole) {
        memcpy(&crc, header + headerBytes + dataBytes - 4, 4);
        if (crc != crc32c(header + headerBytes, dataBytes - 4)) { connectionLost(c, "bad data digest"); return 0; }
    }
    return 1;
}

/* Parse bytes[0..n). Returns how many are used up. A payload nobody needs may be cut short: its rest goes to skip. */
static size_t parse(struct connection *c, const uint8_t *bytes, size_t n)
{
    size_t used = 0;
    while (!c->dead && n - used >= BHS) {
        const uint8_t *header = bytes + used;
        uint32_t segment = get24(header + 5);
        size_t headerBytes = BHS + header[4] * 4 + (c->headerDigest ? 4 : 0), available = n - used;
        size_t dataBytes = segment ? ((segment + 3) & ~3u) + (c->dataDigest ? 4 : 0) : 0;
        int drop = (header[0] & OPCODE_MASK) == DATA_IN && !needPayload;
        int whole = available >= headerBytes + dataBytes;
        if (!whole && (!drop || available < headerBytes)) {
            if (!drop && headerBytes + dataBytes > (needPayload ? RECEIVE_BYTES / 2 : CARRY_BYTES))
                connectionLost(c, "PDU too long");
            break;
        }
        if (!digestsHold(c, header, headerBytes, dataBytes, whole)) break;
        if (!whole) {                                   /* handled when the payload has arrived */
            c->skip = headerBytes + dataBytes - available;
            memcpy(c->held, header, BHS);
            return n;
        }
        take(c, header, header + headerBytes, segment);
        used += headerBytes + dataBytes;
    }
    return used;
}

static void absorb(struct connection *c, uint8_t *buffer, size_t n, int dropped)
{
    if (!dropped) c->tail += n;
    if (c->skip) {                          /* head is 0: a payload is dropped only if all before it is parsed */
        size_t k = n < c->skip ? n : c->skip;
        c->skip -= k;
        if (!dropped) c->head += k;
        if (!c->skip) take(c, c->held, NULL, get24(c->held + 5));
    }
    if (!c->skip) c->head += parse(c, buffer + c->head, c->tail - c->head);
    if (c->head == c->tail) c->head = c->tail = 0;
    else if (c->head && (!c->receive || c->tail > RECEIVE_BYTES / 2)) {
        memmove(buffer, buffer + c->head, c->tail - c->head);
        c->tail -= c->head;
        c->head = 0;
    }
}

void receive(struct connection *c, int wait)
{
    uint8_t *buffer = c->receive ? c->receive : sharedBuffer;
    int longPayloads = !needPayload && options.reads && options.blockBytes >= 2 * DROP_MIN_BYTES;
    size_t taken = 0;
    if (!c->receive) memcpy(buffer, c->carry, c->tail);         /* head is 0 here */
    while (!c->dead && taken < RECEIVE_BYTES) {
        int drop = c->skip >= DROP_MIN_BYTES;
        size_t asked = drop ? c->skip : longPayloads ? RECEIVE_SMALL_BYTES : RECEIVE_BYTES - c->tail;
        int flags = (wait ? 0 : MSG_DONTWAIT) | (drop ? MSG_TRUNC : 0);
        ssize_t n = recv(c->socket, drop ? NULL : buffer + c->tail, asked, flags);
        wait = 0;
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno == EAGAIN) break;
        if (n <= 0) { connectionLost(c, n ? strerror(errno) : "closed by the target"); return; }
        now = clockNs();
        taken += n;
        absorb(c, buffer, n, drop);
        if ((size_t)n < asked) break;                           /* the socket is empty */
    }
    if (!c->receive && !c->dead) memcpy(c->carry, buffer, c->tail);
}
