#!/usr/bin/env python3
"""Run libiscsi's iscsi-test-cu against one logical unit, each test in a process of its own.

usage: conformance.py [options] URL OUT.tsv

A test ends in one of
  PASS     it ran, made its assertions, and none failed
  FAIL     an assertion failed, or the tool could not log in, or crashed
  SKIP     nothing failed, but the test said that it, or a part of it, does not apply
  TIMEOUT  it was killed after --timeout seconds

With --expected FILE --column NAME each result is held against the column of that name: a difference of any kind
is a failure, a new pass too, so that the list stays true. Without, OUT.tsv tells what was found.

Why not the tool's own exit status: CUnit counts a skipped test as passed, a suite whose login fails exits 0, and
some skips are silent. So a small LD_PRELOAD shim reports each CU_PASS (the tool uses it for skips alone) and each
failed assertion as it happens. Why one process per test: a test that loses its session makes its followers skip
everything and pass.
"""
import argparse
import fnmatch
import os
import re
import subprocess
import sys
import time
from collections import Counter, OrderedDict

SHIM = r'''
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
typedef int (*fn)(int, unsigned, const char *, const char *, const char *, int);
int CU_assertImplementation(int v, unsigned line, const char *cond,
                            const char *file, const char *func, int fatal)
{
    static fn real; static int shown;
    if (!real) real = (fn)dlsym(RTLD_NEXT, "CU_assertImplementation");
    if (v && !strncmp(cond, "CU_PASS(", 8))
        { printf("\n@@SKIP %s:%u %s\n", file, line, cond); fflush(stdout); }
    else if (!v && shown++ < 20)
        { printf("\n@@FAIL %s:%u %s%s\n", file, line, cond, fatal ? " (fatal)" : ""); fflush(stdout); }
    return real(v, line, cond, file, func, fatal);
}
'''

# SCSI and iSCSI name every test once: ALL lacks ReportLUNs, LINUX is a subset.
FAMILIES = ('SCSI', 'iSCSI')
INITIATOR = 'iqn.2026-11.io.scstd.test:suite-'
MAX_LOG_CHARACTERS = 400000
STAMP = re.compile(r'^\s*\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+\s*')


def build_shim(folder):
    library, source = os.path.join(folder, 'cushim.so'), os.path.join(folder, 'cushim.c')
    with open(source, 'w') as file:
        file.write(SHIM)
    subprocess.run(['cc', '-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'], check=True)
    return library


def clean(line):
    return re.sub(r'\s+', ' ', STAMP.sub('', line)).strip()


class Log:
    """What one run of the tool printed, and what it means."""

    def __init__(self, text):
        self.head, self.started, body = text.partition('\nSuite: ')
        self.body = body
        self.asserts = self.failed = self.ran = 0
        found = re.search(r'^\s*asserts\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)', body, re.M)
        if found:
            self.asserts, self.failed = int(found.group(2)), int(found.group(4))
        found = re.search(r'^\s*tests\s+(\d+)\s+(\d+)\s+(\d+)\s+(\d+)', body, re.M)
        if found:
            self.ran = int(found.group(2))
        self.failure = self.skip = self.last = ''
        self.skips = 0
        self.said_skipped = False
        self._read(body)

    def _read(self, body):
        # what follows the verdict is the suite's clean-up (it reads the persistent reservation keys)
        verdict = re.search(r'(?:^|\.\.\.\s?)(?:passed|FAILED)\b', body, re.M)
        for line in (body[:verdict.start()] if verdict else body).split('\n'):
            line = line.strip()
            if line.startswith('Run Summary'):
                return
            if line.startswith('@@FAIL '):
                self.failure = self.failure or line[7:] + (' | ' + self.last if self.last else '')
            elif line.startswith('@@SKIP '):
                self.skips += 1
                self.skip = self.skip or line[7:]
            else:
                self._read_message(clean(line))

    def _read_message(self, message):
        found = re.search(r'\[SKIPPED\].*|The target does not support RTPG.*', message)
        if found and 'Skipping assert' not in message:
            self.said_skipped = True
            if not self.skip or self.skip.endswith('CU_PASS(err)'):
                self.skip = found.group(0)
        message = re.sub(r'^Test: \S+ \.\.\. ?(?:\d{4}-\d\d-\d\d \S+ ?)?', '', message)
        self.last = message or self.last

    def last_head_line(self):
        return clean(self.head.strip().split('\n')[-1])

    def verdict(self, status, timed_out):
        """-> result, message"""
        if timed_out:
            where = 'last: ' + self.last if self.started else 'during set-up: ' + self.last_head_line()
            return 'TIMEOUT', self.failure or where
        if not self.started:
            return 'FAIL', 'set-up: status %d, %s' % (status, self.last_head_line())
        if status < 0:
            return 'FAIL', 'the tool died on signal %d; %s' % (-status, self.failure or self.last)
        if self.ran == 0:
            return 'FAIL', 'did not run (status %d) %s' % (status, self.failure or self.last or self.last_head_line())
        if self.failed or status != 0:
            return 'FAIL', self.failure or 'status %d' % status
        if self.skips or self.said_skipped:
            real = self.asserts - self.skips
            return 'SKIP', ('partial after %d assertions: ' % real if real > 0 else '') + self.skip
        return 'PASS', '' if self.asserts else 'no assertion made: the test only has ways to fail'


def run_test(command, test, urls, seconds, log_name, environment):
    """-> result, seconds, assertions, failed ones, message"""
    urls = urls if '.MultipathIO.' in test else urls[:1]
    begin = time.monotonic()
    timed_out = False
    with open(log_name, 'wb') as log:
        # cwd: the tool takes a test's name for a file's name if there is such a file
        process = subprocess.Popen(command + ['--test=' + test] + urls, stdin=subprocess.DEVNULL, stdout=log,
                                   stderr=subprocess.STDOUT, env=environment, cwd='/', start_new_session=True)
        try:
            status = process.wait(seconds)
        except subprocess.TimeoutExpired:
            timed_out = True
            process.kill()
            status = process.wait()
    taken = time.monotonic() - begin
    with open(log_name, 'rb') as log:
        text = log.read().decode('utf-8', 'replace')
    if len(text) > MAX_LOG_CHARACTERS:
        text = text[:MAX_LOG_CHARACTERS // 2] + '\n...\n' + text[-MAX_LOG_CHARACTERS // 2:]
        with open(log_name, 'w') as log:
            log.write(text)
    log = Log(text)
    result, message = log.verdict(status, timed_out)
    return result, taken, log.asserts, log.failed, re.sub(r'[\t\r\n]+', ' ', message)[:400]


def read_expected(name, column):
    """-> test name: (result, remark), of the tests that the column speaks of"""
    rows = [line.rstrip('\n').split('\t') for line in open(name) if line.strip() and not line.startswith('#')]
    at = rows[0].index(column)
    return {row[0]: (row[at], row[-1] if len(row) == len(rows[0]) else '') for row in rows[1:] if row[at] != '-'}


def judge(column, test, result, message, expected):
    """One line in the form that every stage reports in: see tests/stage.sh."""
    if test not in expected:
        return 'FAIL %s %s: not listed in expected.tsv; it gave %s %s' % (column, test, result, message)
    wanted, remark = expected[test]
    if result != wanted:
        return 'FAIL %s %s: %s, expected %s: %s' % (column, test, result, wanted, message)
    if result == 'PASS':
        return 'PASS %s %s' % (column, test)
    if not remark:
        return 'FAIL %s %s: expected.tsv gives no reason for %s' % (column, test, wanted)
    return 'SKIP %s %s: %s%s' % (column, test, 'fails: ' if result == 'FAIL' else '', remark)


def table(rows):
    suites = OrderedDict()
    for row in rows:
        suites.setdefault('.'.join(row[0].split('.')[:2]), Counter())[row[1]] += 1
    total = sum(suites.values(), Counter())
    form = '%-34s %5s %5s %5s %5s %7s'
    kinds = ('PASS', 'FAIL', 'SKIP', 'TIMEOUT')
    lines = [form % (('suite', 'tests') + kinds)]
    for name, count in list(suites.items()) + [('all', total)]:
        lines.append(form % ((name, sum(count.values())) + tuple(count[kind] for kind in kinds)))
    return '\n'.join(lines)


def wanted_tests(arguments, expected):
    names = subprocess.run([arguments.tool, '--list'], stdout=subprocess.PIPE, text=True, check=True).stdout.split()
    tests = [name for name in names if name.count('.') == 2 and name.split('.')[0] in FAMILIES]
    if arguments.listed_only:
        tests = [name for name in tests if name in expected]
    if arguments.match:
        tests = [name for name in tests if any(fnmatch.fnmatchcase(name, glob) for glob in arguments.match)]
    return tests


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--tool', default='iscsi-test-cu')
    parser.add_argument('--timeout', type=float, default=60, help='seconds for each test (60)')
    parser.add_argument('--match', action='append', default=[], help='only tests like this glob; repeatable')
    parser.add_argument('--expected', help='the list of what every test gives')
    parser.add_argument('--column', default='memory', help='the column of that list (memory)')
    parser.add_argument('--listed-only', action='store_true', help='run only what the column speaks of')
    parser.add_argument('--second-url', help='another path to the unit, for the multipath tests (the same path twice)')
    parser.add_argument('-v', '--verbose', action='store_true', help='show every test, with its time')
    parser.add_argument('url')
    parser.add_argument('out')
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    out = os.path.abspath(arguments.out)
    logs = re.sub(r'\.tsv$', '', out) + '.logs'
    os.makedirs(logs, exist_ok=True)
    expected = read_expected(arguments.expected, arguments.column) if arguments.expected else {}
    environment = dict(os.environ, LD_PRELOAD=build_shim(logs))
    # All that the tool can be allowed; what is left of its options is how it reports and what it does after a failure.
    command = [arguments.tool, '-V', '--dataloss', '--allow-sanitize',
               '--initiator-name=' + INITIATOR + '1', '--initiator-name-2=' + INITIATOR + '2']
    urls = [arguments.url, arguments.second_url or arguments.url]
    begin = time.monotonic()
    rows = []
    failures = 0
    with open(out, 'w') as file:
        file.write('test\tresult\tseconds\tasserts\tfailed\tmessage\n')
        for test in wanted_tests(arguments, expected):
            row = (test,) + run_test(command, test, urls, arguments.timeout,
                                     os.path.join(logs, test + '.log'), environment)
            rows.append(row)
            file.write('%s\t%s\t%.2f\t%d\t%d\t%s\n' % row)
            file.flush()
            if arguments.verbose:
                print('%-52s %-8s %6.2f  %s' % (row[0], row[1], row[2], row[5][:110]), flush=True)
            if arguments.expected:
                line = judge(arguments.column, test, row[1], row[5], expected)
                failures += line.startswith('FAIL')
                print(line, flush=True)
    if arguments.expected and not arguments.match:
        for test in sorted(set(expected) - {row[0] for row in rows}):
            failures += 1
            print('FAIL %s %s: listed in expected.tsv, but the tool has no such test' % (arguments.column, test))
    if not arguments.expected:
        failures = sum(row[1] in ('FAIL', 'TIMEOUT') for row in rows)
    print(table(rows))
    print('%.0f s' % (time.monotonic() - begin))
    sys.exit(1 if failures else 0)


if __name__ == '__main__':
    main()
