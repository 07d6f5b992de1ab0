#!/usr/bin/env python3
"""What the comparison with the peers computes from its samples. Run by test.sh; needs neither target nor generator."""
import os
import sys
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../benchmarks/peers"))
from compare import charts, fio, matrix, measure, options, promises, report, summary  # noqa: E402

DEFAULT = options.TARGETS.split(",")


def sample(iops, cpu_us=10.0, p50_us=100.0, **more):
    """A generator's result of one run."""
    return {"iops": iops, "megabytesPerSecond": iops * 4096 / 1e6, "p50Us": p50_us, "p99Us": 2 * p50_us,
            "p999Us": 3 * p50_us, "targetCpuUs": cpu_us, "targetCpuShare": 1.0, "switchesPerCommand": 0.01,
            "generatorCpuUs": 1.0, "generatorCpuShare": 0.5, "otherLoad": 0.0, "errors": 0, "stuck": 0,
            "fullRetries": 0, "complaints": []} | more


def table(**rows):
    """{label: figures} of rows of one sample each; underscores stand for what an argument may not be called."""
    names = {"scstd_spin": "scstd-spin", "scstd_power": "scstd-power", "scstd_digests": "scstd, digests",
             "floor": "(floor)"}
    samples = {names.get(key, key): {1: one} for key, one in rows.items()}
    base = next(iter(samples))
    return {label: summary.summarize(samples, label, base, "scstd" if "digests" in label else None)
            for label in samples}


def result(*cells, idle=()):
    """Of (group, title, rows)."""
    groups = [{"key": key, "title": key, "cells": [{"title": title, "rows": rows, "failed": {}}]}
              for key, title, rows in cells]
    return {"groups": groups, "idle": {"rows": list(idle), "failed": {}}, "verified": [], "checks": []}


def judged(given, work):
    return next(p for p in promises.judge_all(given) if p["work"].startswith(work))


class SummaryTests(unittest.TestCase):
    def test_a_ratio_is_taken_within_a_round(self):
        rows = {1: sample(100), 2: sample(900), 3: sample(50)}
        base = {1: sample(50), 2: sample(100), 3: sample(100)}
        self.assertEqual(2.0, summary.within_rounds(rows, base, "iops"))

    def test_a_round_that_the_base_lacks_is_left_out(self):
        self.assertEqual(3.0, summary.within_rounds({1: sample(10), 2: sample(3)}, {2: sample(1)}, "iops"))
        self.assertIsNone(summary.within_rounds({1: sample(10)}, {}, "iops"))

    def test_what_spins_is_held_against_the_floor_that_spins(self):
        self.assertEqual("(floor-spin)", summary.floor_of("scstd-spin"))
        self.assertEqual("(floor-spin)", summary.floor_of("(floor-spin)"))
        self.assertEqual("(floor)", summary.floor_of("scstd, file"))

    def test_a_table_without_a_floor_borrows_that_of_the_same_load_in_memory(self):
        given = result(("memory", "x", table(tgt=sample(10), floor=sample(400))), ("file", "x", table(tgt=sample(100))),
                       ("file", "y", table(tgt=sample(100))))
        summary.borrow_floor(given["groups"])
        rows = [group["cells"][0]["rows"]["tgt"] for group in given["groups"]]
        self.assertEqual([(0.025, False), (0.25, True), (None, False)],
                         [(row["iopsFloorRatio"], row["floorIsBorrowed"]) for row in rows])


class CounterTests(unittest.TestCase):
    BEFORE = {"commands": 10, "dataInBytes": 1000, "dataOutBytes": 0, "payloadCopiedBytes": 5,
              "reactorAllocatedBytes": 7}
    AFTER = {"commands": 30, "dataInBytes": 1600, "dataOutBytes": 400, "payloadCopiedBytes": 255,
             "reactorAllocatedBytes": 17}

    def test_copies_are_told_for_a_byte_of_payload_in_both_directions(self):
        self.assertEqual(0.25, measure.copied([self.BEFORE, self.AFTER], "payloadCopiedBytes"))

    def test_allocations_are_told_for_a_command(self):
        self.assertEqual(0.5, measure.allocated([self.BEFORE, self.AFTER], "reactorAllocatedBytes"))

    def test_what_a_target_does_not_count_is_unknown_and_not_zero(self):
        self.assertIsNone(measure.copied([self.BEFORE, self.AFTER], "storeCopiedBytes"))
        self.assertIsNone(measure.copied([self.BEFORE], "payloadCopiedBytes"))
        self.assertIsNone(measure.copied([self.BEFORE, self.BEFORE], "payloadCopiedBytes"))


class PromiseTests(unittest.TestCase):
    def test_a_promise_is_kept_or_broken_by_what_was_measured(self):
        for iops, kept in ((999, False), (1000, True)):
            given = result(("memory", promises.READ_32, table(tgt=sample(100), scstd=sample(iops))))
            self.assertEqual(kept, judged(given, "4 KiB random read, depth 32, 1 connection")["kept"])

    def test_what_was_not_measured_is_neither(self):
        for given in (result(), result(("memory", promises.READ_32, table(tgt=sample(100))))):
            self.assertEqual({None}, {p["kept"] for p in promises.judge_all(given)})

    def test_latency_is_held_against_the_peer_of_the_same_rounds(self):
        given = result(("memory", promises.READ_1, table(tgt=sample(1, p50_us=100), scstd_power=sample(1, p50_us=80.1),
                                                         scstd_spin=sample(1, p50_us=45))))
        self.assertTrue(judged(given, "depth 1 latency, p50, spin on")["kept"])
        self.assertFalse(judged(given, "depth 1 latency, p50, spin off")["kept"])

    def test_CPU_time_is_allowed_by_what_the_peer_takes(self):
        for cpu_us, peer_us, kept in ((2.5, 22, True), (2.6, 22, False), (5.0, 44, True)):
            given = result(("memory", promises.READ_32, table(tgt=sample(1, cpu_us=peer_us),
                                                              scstd=sample(1, cpu_us=cpu_us))))
            self.assertEqual(kept, judged(given, "4 KiB random read, depth 32, 1 connection, memory: CPU")["kept"])

    def test_digests_may_take_fifteen_percent(self):
        for iops, kept in ((851, True), (849, False)):
            given = result(("digests", "64 KiB sequential read, depth 8",
                            table(scstd=sample(1000), scstd_digests=sample(iops))))
            self.assertEqual(kept, judged(given, "digests on, 64 KiB sequential read")["kept"])

    def test_a_read_may_copy_nothing(self):
        rows = table(tgt=sample(1), scstd=sample(1))
        for copied, kept in ((0, True), (0.001, False), (None, None)):
            rows["scstd"]["copiedPerByte"] = copied
            given = result(("memory", promises.READ_32, rows))
            self.assertEqual(kept, judged(given, "user-space copies of payload, 4 KiB read")["kept"])

    def test_idle_sessions_may_take_one_percent(self):
        for sessions, share, kept in ((1000, 0.0099, True), (1000, 0.011, False), (10, 0.0099, None)):
            given = result(idle=[{"target": "scstd", "sessions": sessions, "cpuShare": share}])
            self.assertEqual(kept, judged(given, "idle")["kept"])

    def test_each_promise_points_at_a_row_that_is_measured(self):
        for promise in promises.PROMISES:
            if promise.group is None:
                continue
            entry = next(entry for group in matrix.GROUPS if group.key == promise.group for entry in group.entries
                         if entry.cell.title == promise.cell)
            self.assertIn(promise.row, [row.label for row in entry.rows], promise.work)


class MatrixTests(unittest.TestCase):
    @staticmethod
    def labels(groups):
        return {row.label for group in groups for entry in group.entries for row in entry.rows}

    def test_every_group_has_rows_of_the_default_targets(self):
        self.assertEqual(matrix.KEYS, [group.key for group in matrix.choose(matrix.KEYS, [], False, DEFAULT)])

    def test_titles_of_a_group_are_different(self):
        for group in matrix.GROUPS:
            titles = [entry.cell.title for entry in group.entries]
            self.assertEqual(len(titles), len(set(titles)), group.key)

    def test_targets_that_were_not_asked_for_have_no_rows(self):
        found = self.labels(matrix.choose(matrix.KEYS, [], False, ["scstd"]))
        self.assertIn("scstd, 2 reactors", found)
        self.assertFalse([label for label in found if not label.startswith("scstd") or "spin" in label])

    def test_another_peer_takes_part_in_memory(self):
        groups = matrix.choose(matrix.KEYS, [], False, [*DEFAULT, "peer"])
        self.assertEqual(["memory"], [group.key for group in groups if "peer" in self.labels([group])])

    def test_quick_and_words_choose_loads(self):
        quick = matrix.choose(matrix.KEYS, [], True, DEFAULT)
        self.assertEqual(["memory"], [group.key for group in quick])
        chosen = matrix.choose(["direct"], ["1", "MiB"], False, DEFAULT)
        self.assertEqual(["1 MiB sequential read, depth 8", "1 MiB sequential write, depth 8"],
                         [entry.cell.title for entry in chosen[0].entries])

    def test_the_chart_places_are_measured(self):
        measured = {(group.key, entry.cell.title) for group in matrix.GROUPS for entry in group.entries}
        for chart in charts.CHARTS:
            self.assertLessEqual({(group, title) for _, group, title in chart.places}, measured)


class GuestTests(unittest.TestCase):
    def test_what_a_guest_prints_becomes_figures(self):
        lines = ["some noise", "begin iqn.x:tgt 32", "end iqn.x:tgt 32 1234.5 6000"]
        found = fio.follow(lines, {"iqn.x:tgt": [os.getpid()]})
        self.assertEqual([("iqn.x:tgt", 32)], list(found))
        self.assertEqual(1234.5, found["iqn.x:tgt", 32][0])

    def test_a_url_is_taken_apart(self):
        self.assertEqual((3260, "iqn.x:y", "1"), fio.parts("iscsi://127.0.0.1:3260/iqn.x:y/1"))


class ChartTests(unittest.TestCase):
    def test_an_axis_ends_at_a_plain_number_beyond_the_most(self):
        self.assertEqual((100, 500), charts.axis(447))
        self.assertEqual((0.5, 2.5), charts.axis(2.4))
        self.assertEqual((20, 100), charts.axis(100))

    def test_a_chart_is_a_picture_whose_bars_are_as_long_as_the_figures(self):
        given = result(("memory", promises.READ_1, table(tgt=sample(1, p50_us=100), scstd=sample(1, p50_us=50))))
        chart = next(c for c in charts.CHARTS if c.figure == "p50Us")
        picture = ElementTree.fromstring(charts.draw(chart, charts.bars_of(chart, given)))
        widths = {bar.get("class"): float(bar.get("width")) for bar in picture.iter("{http://www.w3.org/2000/svg}rect")
                  if float(bar.get("width")) > 11}
        self.assertAlmostEqual(2.0, widths["tgt"] / widths["scstd"], places=2)

    def test_nothing_is_linked_that_was_not_measured(self):
        self.assertEqual([], charts.links(result()))


class ReportTests(unittest.TestCase):
    def test_a_row_has_a_cell_for_each_heading(self):
        for label, figures in table(tgt=sample(1), floor=sample(2)).items():
            self.assertEqual(len(report.headings("tgt")), len(report.row(label, figures)))

    def test_a_generator_above_half_of_the_target_has_a_star(self):
        rows = table(tgt=sample(1, cpu_us=2.0), scstd=sample(1, cpu_us=1.9))
        self.assertEqual([False, True], [report.row(label, f)[-1].endswith("*") for label, f in rows.items()])

    def test_errors_and_runs_without_figures_are_not_clean(self):
        good = result(("memory", "x", table(tgt=sample(1))))
        self.assertTrue(report.is_clean(good))
        self.assertFalse(report.is_clean(result(("memory", "x", table(tgt=sample(1, errors=1))))))
        good["groups"][0]["cells"][0]["failed"]["istgt"] = "no end"
        self.assertFalse(report.is_clean(good))


if __name__ == "__main__":
    unittest.main()
