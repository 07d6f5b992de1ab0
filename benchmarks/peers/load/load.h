/*
 * iscsi-load: a raw iSCSI load generator for Linux, without libraries.
 *
 * It speaks just enough of RFC 7143 to load a target harder than a full initiator library can: one thread,
 * one pass over a ready connection being one recv() into a big buffer, a parse of every PDU in it, new commands
 * and Data-Out for each task that became free, and one sendmsg() for all of them. Payload that nobody looks at
 * is dropped in the kernel where that is cheaper than copying it. Each connection is a session of its own.
 *
 * Latency runs from the moment a command is queued for its sendmsg() to the moment the recv() that completed its
 * last PDU returned; retries (BUSY, TASK SET FULL, UNIT ATTENTION) are part of it.
 */
#ifndef LOAD_H
#define LOAD_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdint.h>
#include <stdio.h>
#include <sys/uio.h>

/* RFC 7143 §11.1.2 */
enum opcode {
    NOP_OUT = 0x00, SCSI_COMMAND = 0x01, LOGIN_REQUEST = 0x03, DATA_OUT = 0x05, LOGOUT_REQUEST = 0x06,
    NOP_IN = 0x20, SCSI_RESPONSE = 0x21, LOGIN_RESPONSE = 0x23, DATA_IN = 0x25, LOGOUT_RESPONSE = 0x26, R2T = 0x31,
    ASYNC_MESSAGE = 0x32, REJECT = 0x3f,
    IMMEDIATE = 0x40, OPCODE_MASK = 0x3f
};
enum status { GOOD = 0, CHECK_CONDITION = 0x02, BUSY = 0x08, TASK_SET_FULL = 0x28 };      /* SAM-5 5.3.1 */

enum limit {
    BHS = 48,
    RECEIVE_BYTES = 1 << 20,        /* receive buffer; only as much of it is touched as one recv() returns */
    RECEIVE_SMALL_BYTES = 4096,     /* recv() size when long payloads follow, which MSG_TRUNC then drops */
    DROP_MIN_BYTES = 16384,         /* a shorter rest of a payload is cheaper to copy than to drop by a system call */
    CARRY_BYTES = 16384,            /* longest incomplete PDU kept between passes when payloads are dropped */
    IOVECS = 1024,                  /* in one sendmsg(): the kernel's UIO_MAXIOV */
    ARENA_PDU_BYTES = 64,           /* header and its digest, then padding and the data digest */
    TEXT_BYTES = 8192,              /* MaxRecvDataSegmentLength before negotiation, RFC 7143 §13.12 */
    MAX_PIDS = 16,
    MAX_THREADS = 1024,             /* of the target; more are not counted */
    MAX_DEPTH = 32767               /* the index half of an Initiator Task Tag */
};
#define NO_TAG 0xffffffffu          /* RFC 7143 §11.2.1.8: the reserved tag */

struct options {
    uint32_t blockBytes, receiveSegment, firstBurst, maxBurst;
    int depth, connections, cpu, headerDigest, dataDigest, verify, strict, once, json;
    int initialR2t, noImmediate, security, reads, writes, random, idle, lun, luns, each, tape, pids[MAX_PIDS], pidCount;
    double seconds, warmUp;
    uint64_t span, seed;
    const char *mode, *digest, *initiator;
    char host[256], port[16], target[256];
};

/* One command. Its index and its generation are the Initiator Task Tag. */
struct task {
    uint64_t begun, unit, sequence, retryAt;
    uint32_t received;                  /* Data-In bytes so far */
    uint32_t dataSn;                    /* expected next; counts Data-In, or R2Ts of a write */
    uint32_t outOffset, outEnd;         /* Data-Out still to be sent: unsolicited, or what an R2T asked for */
    uint32_t outSn, outTag;
    uint8_t outLun[8];
    uint16_t generation;
    uint8_t write, busy;
    int next;                           /* link in connection.out or connection.retry */
    uint8_t *data;                      /* with --verify: the payload */
};
struct queue { int head, tail; };

struct connection {
    int id, socket, dead, done;
    uint8_t lun[8];                     /* of the unit that it loads */
    uint32_t cmdSn, maxCmdSn, expStatSn;
    int headerDigest, dataDigest, initialR2t, immediateData;        /* as negotiated */
    uint32_t firstBurst, maxBurst, sendSegment;
    struct task *tasks;
    int *idle, idleCount, inFlight;
    struct queue out, retry;
    uint64_t position, low, high;       /* sequential modes: the next unit, and this connection's slice */
    /* Receive: a private buffer if payloads are looked at, else the shared one, with the rest kept in carry. */
    uint8_t *receive, carry[CARRY_BYTES], held[BHS];
    size_t head, tail, skip;            /* skip: payload bytes of the held header still to be dropped */
    /* Transmit: headers and digests lie in the arena, payloads where they are. */
    struct iovec iov[IOVECS];
    int iovHead, iovTail, waitsForRoom;
    size_t arenaUsed;
    uint8_t arena[IOVECS * ARENA_PDU_BYTES];
};

struct statistics {                     /* of the measured time only */
    uint64_t reads, writes, sumNs, maxNs, wakes, fullRetries, attentionRetries, windowStalls, nops;
};
struct verdict {                        /* of the whole run */
    uint64_t errors, badSectors, checkedSectors, blankSectors, lastDone;
};

extern struct options options;
extern struct connection *connections;
extern struct statistics statistics;
extern struct verdict verdict;
extern uint32_t blockLength;            /* of the logical unit */
extern uint64_t blockCount, unitCount, now;     /* a unit is blockBytes: what one command moves */
extern uint8_t *pattern;
extern int stopping, measuring, needPayload, epollSet;

/* bytes.c */
void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint64_t clockNs(void);
uint64_t randomBits(void);
void seedRandom(uint64_t seed);
void *allocate(size_t bytes);
uint32_t crc32c(const uint8_t *p, size_t n);
uint32_t crc32cPadded(const uint8_t *p, size_t n, const uint8_t *pad, size_t padLength);
void crc32cInitialize(void);

static inline uint32_t min32(uint32_t a, uint32_t b) { return a < b ? a : b; }
static inline uint32_t get32(const uint8_t *p) { uint32_t v; __builtin_memcpy(&v, p, 4); return __builtin_bswap32(v); }
static inline uint32_t get24(const uint8_t *p) { return (uint32_t)p[0] << 16 | p[1] << 8 | p[2]; }
static inline void put16(uint8_t *p, uint32_t v) { p[0] = v >> 8; p[1] = v; }
static inline void put24(uint8_t *p, uint32_t v) { p[0] = v >> 16; p[1] = v >> 8; p[2] = v; }
static inline void put32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); __builtin_memcpy(p, &v, 4); }
static inline void put64(uint8_t *p, uint64_t v) { v = __builtin_bswap64(v); __builtin_memcpy(p, &v, 8); }
static inline uint32_t taskTag(struct connection *c, int i) { return (uint32_t)c->tasks[i].generation << 16 | i; }

/* options.c */
void parseOptions(int argc, char **argv);

/* session.c: blocking exchange before and after the load */
void login(struct connection *c);
void prepareUnit(struct connection *c);
void logout(struct connection *c);
void advanceWindow(struct connection *c, const uint8_t *header);
int senseKey(const uint8_t *sense);
const char *senseText(const uint8_t *sense);

/* transmit.c */
void encodeLun(uint8_t *bytes, uint32_t lun);
void enqueue(struct connection *c, struct queue *q, int i);
void withdraw(struct connection *c, struct queue *q, int i);
void answerPing(struct connection *c, const uint8_t *ping);
void fill(struct connection *c);
void flush(struct connection *c);
void connectionLost(struct connection *c, const char *why);

/* receive.c */
void initializeReceive(void);
void receive(struct connection *c, int wait);

/* verify.c */
void initializeVerify(void);
int unitIsLocked(uint64_t unit);
void stampWrite(struct task *t);
void lockUnit(struct task *t);
void settleUnit(struct task *t, int good);

/* statistics.c */
struct threadSample { int id; uint64_t scheduledNs, voluntary, involuntary; };
struct targetSample {
    double userS, systemS;
    uint64_t residentKb;
    int threads;
    struct threadSample thread[MAX_THREADS];
};
void sampleTarget(int end);
void recordLatency(uint64_t ns, int write);
void report(double seconds, int stuck);
void markUsage(int end);
#endif
