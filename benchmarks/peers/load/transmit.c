/* The sending half of the load: what to ask for next, the PDUs for it, and one sendmsg() for all of them. */
#include "load.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MIX_READ_PERCENT = 70 };

void enqueue(struct connection *c, struct queue *q, int i)
{
    c->tasks[i].next = -1;
    if (q->head < 0) q->head = i;
    else c->tasks[q->tail].next = i;
    q->tail = i;
}

static int dequeue(struct connection *c, struct queue *q)
{
    int i = q->head;
    q->head = c->tasks[i].next;
    return i;
}

void withdraw(struct connection *c, struct queue *q, int i)
{
    int last = -1, k = q->head;
    while (k >= 0 && k != i) { last = k; k = c->tasks[k].next; }
    if (k != i) return;
    if (last < 0) q->head = c->tasks[i].next;
    else c->tasks[last].next = c->tasks[i].next;
    if (q->tail == i) q->tail = last;
}

void connectionLost(struct connection *c, const char *why)
{
    complain("connection %d lost: %s, %d commands outstanding", c->id, why, c->inFlight);
    verdict.errors += 1 + c->inFlight;
    c->dead = 1;
    c->inFlight = 0;
    close(c->socket);
}

/* ---- one PDU: its header and digests in the arena, its payload where it is ---- */
static void addBytes(struct connection *c, const void *p, size_t n)
{
    struct iovec *last = c->iov + c->iovTail - 1;
    if (c->iovTail && (uint8_t *)last->iov_base + last->iov_len == (const uint8_t *)p) last->iov_len += n;
    else c->iov[c->iovTail++] = (struct iovec){ (void *)p, n };
}

static int hasRoom(struct connection *c)
{
    return c->iovTail < IOVECS - 4 && c->arenaUsed < sizeof c->arena - 2 * ARENA_PDU_BYTES;
}

static uint8_t *newHeader(struct connection *c) { return memset(c->arena + c->arenaUsed, 0, BHS); }

/* Without --verify all writes carry parts of one buffer: their digests are computed once. */
static uint32_t patternCrc(const uint8_t *p, uint32_t n)
{
    static struct { const uint8_t *p; uint32_t n, crc; } cache[256];
    unsigned i = ((uintptr_t)p / 4096 * 31 + n / 512) % 256;
    if (cache[i].p != p || cache[i].n != n) { cache[i].p = p; cache[i].n = n; cache[i].crc = crc32c(p, n); }
    return cache[i].crc;
}

static void addPdu(struct connection *c, uint8_t *header, const uint8_t *data, uint32_t n)
{
    uint32_t crc, pad = -n & 3;
    uint8_t *end = header + BHS;
    put24(header + 5, n);
    put32(header + 28, c->expStatSn);
    if (c->headerDigest) { crc = crc32c(header, BHS); memcpy(end, &crc, 4); end += 4; }
    addBytes(c, header, end - header);
    if (n) {
        uint8_t *trailer = end;
        addBytes(c, data, n);
        memset(end, 0, pad);
        end += pad;
        if (c->dataDigest) {
            crc = pad ? crc32cPadded(data, n, trailer, pad) : options.verify ? crc32c(data, n) : patternCrc(data, n);
            memcpy(end, &crc, 4);
            end += 4;
        }
        if (end > trailer) addBytes(c, trailer, end - trailer);
    }
    c->arenaUsed = end - c->arena;
}

static const uint8_t *payload(const struct task *t) { return options.verify ? t->data : pattern; }

static void putTapeCdb(uint8_t *cdb, int write)     /* READ(6) and WRITE(6) of one record of any length */
{
    cdb[0] = write ? 0x0a : 0x08;
    cdb[2] = options.blockBytes >> 16;
    put16(cdb + 3, options.blockBytes & 0xffff);
}

static void putCdb(uint8_t *cdb, int write, uint64_t lba, uint32_t blocks)
{
    if (lba + blocks <= 0xffffffffu && blocks <= 0xffff) {      /* READ(10) and WRITE(10) where they reach */
        cdb[0] = write ? 0x2a : 0x28;
        put32(cdb + 2, lba);
        put16(cdb + 7, blocks);
    } else {                                                    /* READ(16), WRITE(16) */
        cdb[0] = write ? 0x8a : 0x88;
        put64(cdb + 2, lba);
        put32(cdb + 10, blocks);
    }
}

void encodeLun(uint8_t *bytes, uint32_t lun)    /* SAM-5 4.7.7: peripheral device or flat space addressing */
{
    put16(bytes, lun < 256 ? lun : 0x4000 | lun);
}

static void sendCommand(struct connection *c, int i)
{
    struct task *t = &c->tasks[i];
    uint8_t *header = newHeader(c);
    uint32_t blocks = options.blockBytes / blockLength, immediate = 0, unsolicited = 0;
    if (t->write) {                                             /* §13.10, §13.11, §13.14 */
        immediate = c->immediateData ? min32(options.blockBytes, min32(c->firstBurst, c->sendSegment)) : 0;
        unsolicited = c->initialR2t ? immediate : min32(options.blockBytes, c->firstBurst);
    }
    t->generation = (t->generation + 1) & 0x7fff;
    t->received = t->dataSn = t->outOffset = t->outEnd = 0;
    t->busy = 1;
    header[0] = SCSI_COMMAND;
    header[1] = (t->write ? 0x20 : 0x40) | (unsolicited > immediate ? 0 : 0x80) | 1;        /* SIMPLE */
    if (options.each) encodeLun(c->lun, options.lun + randomBits() % options.luns);
    memcpy(header + 8, c->lun, 8);
    put32(header + 16, taskTag(c, i)); put32(header + 20, options.blockBytes); put32(header + 24, c->cmdSn++);
    if (options.tape) putTapeCdb(header + 32, t->write);
    else putCdb(header + 32, t->write, t->unit * blocks, blocks);
    addPdu(c, header, payload(t), immediate);
    c->inFlight++;
    if (unsolicited > immediate) {
        t->outOffset = immediate; t->outEnd = unsolicited; t->outSn = 0; t->outTag = NO_TAG;
        memcpy(t->outLun, c->lun, 8);
        enqueue(c, &c->out, i);
    }
}

static void sendDataOut(struct connection *c)
{
    int i = c->out.head;
    struct task *t = &c->tasks[i];
    uint32_t n = min32(t->outEnd - t->outOffset, c->sendSegment);
    uint8_t *header = newHeader(c);
    header[0] = DATA_OUT;
    header[1] = t->outOffset + n == t->outEnd ? 0x80 : 0;
    memcpy(header + 8, t->outLun, 8);
    put32(header + 16, taskTag(c, i)); put32(header + 20, t->outTag);
    put32(header + 36, t->outSn++); put32(header + 40, t->outOffset);
    addPdu(c, header, payload(t) + t->outOffset, n);
    t->outOffset += n;
    if (t->outOffset == t->outEnd) dequeue(c, &c->out);
}

void answerPing(struct connection *c, const uint8_t *ping)      /* §11.18: a NOP-In with a tag wants an answer */
{
    if (!hasRoom(c)) return;
    uint8_t *header = newHeader(c);
    header[0] = NOP_OUT | IMMEDIATE;
    header[1] = 0x80;
    memcpy(header + 8, ping + 8, 8);
    memcpy(header + 20, ping + 20, 4);
    put32(header + 16, NO_TAG); put32(header + 24, c->cmdSn);
    addPdu(c, header, NULL, 0);
    statistics.nops++;
}

/* ---- choosing and issuing work ---- */
static int nextUnit(struct connection *c, uint64_t *unit)       /* false: nothing left (--once) */
{
    do {
        if (options.random) *unit = (unsigned __int128)randomBits() * unitCount >> 64;
        else {
            if (c->position == c->high) {
                if (options.once) { c->done = 1; return 0; }
                c->position = c->low;
            }
            *unit = c->position++;
        }
    } while (options.verify && unitIsLocked(*unit));            /* verified, a unit has one command at a time */
    return 1;
}

static int startTask(struct connection *c)
{
    int i = c->idle[c->idleCount - 1];
    struct task *t = &c->tasks[i];
    if (!nextUnit(c, &t->unit)) return 0;
    c->idleCount--;
    t->write = options.writes && (!options.reads || randomBits() % 100 >= MIX_READ_PERCENT);
    t->begun = now;
    if (options.verify) {
        lockUnit(t);
        if (t->write) stampWrite(t);
    }
    sendCommand(c, i);
    return 1;
}

void fill(struct connection *c)                                 /* queue all that may be sent */
{
    while (hasRoom(c)) {
        if (c->out.head >= 0) { sendDataOut(c); continue; }
        int again = c->retry.head >= 0 && c->tasks[c->retry.head].retryAt <= now;
        if (!again && (stopping || options.idle || !c->idleCount || c->done)) return;
        if ((int32_t)(c->maxCmdSn - c->cmdSn) < 0) { statistics.windowStalls++; return; }
        if (again) sendCommand(c, dequeue(c, &c->retry));
        else if (!startTask(c)) return;
    }
}

static void wakeForRoom(struct connection *c, int wanted)
{
    if (c->waitsForRoom == wanted) return;
    struct epoll_event event = { EPOLLIN | (wanted ? EPOLLOUT : 0), { .ptr = c } };
    c->waitsForRoom = wanted;
    epoll_ctl(epollSet, EPOLL_CTL_MOD, c->socket, &event);
}

static int sendQueued(struct connection *c)                     /* false: the socket is full, or lost */
{
    while (c->iovHead < c->iovTail) {
        struct msghdr message = { .msg_iov = c->iov + c->iovHead, .msg_iovlen = c->iovTail - c->iovHead };
        ssize_t n = sendmsg(c->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && errno != EAGAIN) { connectionLost(c, strerror(errno)); return 0; }
        if (n < 0) { wakeForRoom(c, 1); return 0; }
        while (n && (size_t)n >= c->iov[c->iovHead].iov_len) n -= c->iov[c->iovHead++].iov_len;
        if (n) {
            c->iov[c->iovHead].iov_base = (char *)c->iov[c->iovHead].iov_base + n;
            c->iov[c->iovHead].iov_len -= n;
        }
    }
    return 1;
}

void flush(struct connection *c)                /* everything queued, in one sendmsg() if the socket takes it */
{
    do {
        if (c->dead || !sendQueued(c)) return;
        c->iovHead = c->iovTail = 0;
        c->arenaUsed = 0;
        fill(c);                                /* more, if the queue was too short for it */
    } while (c->iovTail);
    wakeForRoom(c, 0);
}
