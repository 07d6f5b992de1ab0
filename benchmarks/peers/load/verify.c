/*
 * Verification: every 512 bytes written carry a magic number, their own address and the number of the write, and a
 * fill derived from these. A unit has at most one command outstanding, so what a read must find is known.
 */
#include "load.h"
#include <string.h>
#include <time.h>

enum { SECTOR = 512, WORDS = SECTOR / 8 };
static const uint64_t Magic = 0x64616f6c64747363ull;
static uint64_t *expected;                      /* number of the write last done to each unit, 0: not known */
static uint8_t *locked;                         /* the unit has a command outstanding */
static uint64_t run, writes;

void initializeVerify(void)
{
    expected = allocate(unitCount * sizeof *expected);
    locked = allocate(unitCount);
    run = time(NULL) & 0xffffff;                /* two runs never write the same stamp */
}

int unitIsLocked(uint64_t unit) { return locked[unit]; }
void lockUnit(struct task *t) { locked[t->unit] = 1; }

static void stamp(uint64_t *words, uint64_t address, uint64_t sequence)
{
    uint64_t fill = address * 0x9e3779b97f4a7c15ull ^ sequence * 0xd1342543de82ef95ull;
    words[0] = Magic;
    words[1] = address;
    words[2] = sequence;
    for (int i = 3; i < WORDS; i++) words[i] = fill + i * 0xda942042e4dd58b5ull;
}

void stampWrite(struct task *t)
{
    uint32_t sectors = options.blockBytes / SECTOR;
    t->sequence = run << 40 | ++writes;
    for (uint32_t k = 0; k < sectors; k++)
        stamp((uint64_t *)(t->data + k * SECTOR), t->unit * sectors + k, t->sequence);
}

/* What is wrong with a sector, or NULL. */
static const char *judgeSector(const uint64_t *words, uint64_t address, uint64_t wanted, int *isBlank)
{
    uint64_t any = 0, want[WORDS];
    for (int i = 0; i < WORDS; i++) any |= words[i];
    *isBlank = !any && !wanted;
    if (*isBlank) return options.strict ? "blank" : NULL;
    if (!any) return "blank, though written in this run";
    if (words[0] != Magic) return "no stamp";
    if (words[1] != address) return "the stamp of another address";
    if (wanted && words[2] != wanted) return "not the last write";
    stamp(want, address, words[2]);
    return memcmp(want, words, SECTOR) ? "damaged fill" : NULL;
}

static void checkRead(const struct task *t)
{
    uint32_t sectors = options.blockBytes / SECTOR;
    for (uint32_t k = 0; k < sectors; k++) {
        const uint64_t *words = (const uint64_t *)(t->data + k * SECTOR);
        uint64_t address = t->unit * sectors + k;
        int isBlank;
        const char *wrong = judgeSector(words, address, expected[t->unit], &isBlank);
        verdict.checkedSectors++;
        verdict.blankSectors += isBlank;
        if (!wrong) continue;
        verdict.badSectors++;
        complain("verify: 512-byte sector %llu: %s (address %llx, write %llx, expected %llx)",
                 (unsigned long long)address, wrong, (unsigned long long)words[1], (unsigned long long)words[2],
                 (unsigned long long)expected[t->unit]);
    }
}

void settleUnit(struct task *t, int good)
{
    if (t->write) expected[t->unit] = good ? t->sequence : 0;
    else if (good) checkRead(t);
    locked[t->unit] = 0;
}
