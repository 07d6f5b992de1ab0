/* What everything else stands on: the end of the process, the clock, random bits, CRC32C. */
#include "load.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COMPLAINTS = 10 };       /* a broken target would otherwise fill the terminal */

void fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("iscsi-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    exit(2);
}

void complain(const char *format, ...)
{
    static int printed;
    va_list arguments;
    if (printed++ >= COMPLAINTS) return;
    va_start(arguments, format);
    fputs("iscsi-load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
}

uint64_t clockNs(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static uint64_t randomState;
void seedRandom(uint64_t seed) { randomState = seed * 0x9e3779b97f4a7c15ull | 1; }
uint64_t randomBits(void)
{
    randomState ^= randomState << 13;
    randomState ^= randomState >> 7;
    return randomState ^= randomState << 17;
}

void *allocate(size_t bytes)
{
    void *p = calloc(1, bytes);
    if (!p) fail("out of memory");
    return p;
}

/* CRC32C (RFC 7143 §13.1): three interleaved streams of the CRC instruction, joined by a table. */
enum { STREAM = 1360 };                         /* 3 x 1360 + 16 = 4096 */
static uint32_t shiftTable[4][256];             /* state -> state after STREAM zero bytes, which is linear */

static uint32_t shifted(uint32_t x)
{
    return shiftTable[0][x & 255] ^ shiftTable[1][x >> 8 & 255] ^ shiftTable[2][x >> 16 & 255] ^ shiftTable[3][x >> 24];
}

#ifdef __x86_64__
#include <nmmintrin.h>
__attribute__((target("sse4.2"))) static uint32_t oneStream(uint32_t state, const uint8_t *p, size_t n)
{
    uint64_t c = state, word;
    for (; n >= 8; n -= 8, p += 8) { memcpy(&word, p, 8); c = _mm_crc32_u64(c, word); }
    while (n--) c = _mm_crc32_u8(c, *p++);
    return c;
}
__attribute__((target("sse4.2"))) static uint32_t threeStreams(uint32_t state, const uint8_t *p)
{
    uint64_t a = state, b = 0, c = 0, word;
    for (int i = 0; i < STREAM; i += 8) {
        memcpy(&word, p + i, 8); a = _mm_crc32_u64(a, word);
        memcpy(&word, p + i + STREAM, 8); b = _mm_crc32_u64(b, word);
        memcpy(&word, p + i + 2 * STREAM, 8); c = _mm_crc32_u64(c, word);
    }
    return shifted(shifted((uint32_t)a) ^ (uint32_t)b) ^ (uint32_t)c;
}
#else
static uint32_t oneStream(uint32_t state, const uint8_t *p, size_t n)
{
    while (n--) {
        state ^= *p++;
        for (int bit = 0; bit < 8; bit++) state = state >> 1 ^ (state & 1 ? 0x82f63b78u : 0);
    }
    return state;
}
static uint32_t threeStreams(uint32_t state, const uint8_t *p) { return oneStream(state, p, 3 * STREAM); }
#endif

uint32_t crc32c(const uint8_t *p, size_t n)
{
    uint32_t state = ~0u;
    for (; n >= 3 * STREAM; n -= 3 * STREAM, p += 3 * STREAM) state = threeStreams(state, p);
    return ~oneStream(state, p, n);
}

uint32_t crc32cPadded(const uint8_t *p, size_t n, const uint8_t *pad, size_t padLength)
{
    return ~oneStream(~crc32c(p, n), pad, padLength);
}

void crc32cInitialize(void)
{
    uint8_t zero[STREAM] = { 0 }, sample[5000];
    for (int k = 0; k < 4; k++)
        for (int bit = 0; bit < 8; bit++) {
            uint32_t image = oneStream(1u << (8 * k + bit), zero, STREAM);
            for (int v = 0; v < 256; v++)
                if (v >> bit & 1) shiftTable[k][v] ^= image;
        }
    for (size_t i = 0; i < sizeof sample; i++) sample[i] = randomBits();
    if (crc32c((const uint8_t *)"123456789", 9) != 0xe3069283u ||
        crc32c(sample, sizeof sample) != ~oneStream(~0u, sample, sizeof sample))
        fail("CRC32C self-test failed");
}
