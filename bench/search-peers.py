#!/usr/bin/env python3
"""Asks SQLite and DuckDB what the `search` program of bench/ asked the store.

search-peers.py DIRECTORY: the directory that `search` left. The events are read from the store's own
Parquet files, into a table of DuckDB's and a table of SQLite's with indexes on the time, the host
and the address, and a full-text index of the messages. Prints rows for the table of bench/run.sh:
measurement, value, unit, goal. An answer that differs from the store's is an error.
"""

import os
import sqlite3
import statistics
import sys
import time

import duckdb

RUNS = 5
HOUR = 3_600_000_000
COLUMNS = ["time", "id", "host", "program", "address", "port", "user", "action", "outcome", "message"]
SOURCES = [
    'epoch_us("@timestamp")', '"event.id"', '"host.name"', '"process.name"', '"source.ip"',
    '"source.port"', '"user.name"', '"event.action"', '"event.outcome"', "message",
]
# What the questions are asked of: an address, a word and a phrase of bench/src/search.
HOST, ADDRESS, WORD, PHRASE = "server137", "198.51.100.77", "quicksilver", "Invalid user jenkins"


def row(measurement, value, unit):
    print(f"{measurement}\t{value}\t{unit}\t", flush=True)


def read_answers(directory):
    with open(os.path.join(directory, "answers.tsv"), encoding="utf-8") as lines:
        times, *answers = [line.rstrip("\n").split("\t") for line in lines]
    begin, day, end = (int(number) for number in times[1].split())
    return (begin, day, end), {name: (float(took), int(answer)) for name, took, answer in answers}


def questions(begin, day, end, words):
    """Name, SQL, and how the answer is told; `words` makes the condition that a message has words."""
    latest = "SELECT * FROM events WHERE {} ORDER BY time DESC, id DESC LIMIT 100"
    within = f"time >= {begin} AND time < {end}"
    today = f"time >= {day} AND time < {end}"
    total = lambda rows: sum(row[-1] for row in rows)
    return [
        ("hour histogram over 24 h",
         f"SELECT time / {HOUR} * {HOUR}, count(*) FROM events WHERE {today} GROUP BY 1"
         .replace(" / ", " // " if words is duckdb_words else " / "), total),
        ("top 10 over 7 days",
         f"SELECT address, count(*) AS n FROM events WHERE {within} AND address IS NOT NULL "
         "GROUP BY 1 ORDER BY n DESC, 1 LIMIT 10", total),
        ("one host's latest 100", latest.format(f"host = '{HOST}' AND {within}"), len),
        ("a rare address over 7 days", latest.format(f"address = '{ADDRESS}' AND {within}"), len),
        ("a rare word over 7 days", latest.format(f"{words(WORD)} AND {within}"), len),
        ("a phrase over 24 h", latest.format(f"{words(PHRASE)} AND {today}"), len),
        ("a phrase over 24 h, counted",
         f"SELECT count(*) FROM events WHERE {words(PHRASE)} AND {today}", total),
        ("count by user and host over 24 h",
         f'SELECT "user", host, count(*) FROM events WHERE {today} AND "user" IS NOT NULL '
         "AND host IS NOT NULL GROUP BY 1, 2", len),
    ]


def duckdb_words(words):
    return f"contains(lower(message), lower('{words}'))"


def sqlite_words(words):
    return f"id IN (SELECT rowid FROM words WHERE words MATCH '\"{words}\"')"


def measure(name, ask, asked, answers):
    for question, sql, tell in asked:
        ours, expected = answers[question]
        times = []
        for _ in range(1 + RUNS):
            began = time.perf_counter()
            answer = tell(ask(sql))
            times.append((time.perf_counter() - began) * 1e3)
            if times[0] > 20_000:
                break
        if answer != expected:
            raise SystemExit(f"{name} answers {question} with {answer}, the store with {expected}")
        took = statistics.median(times[1:] or times)
        row(f"search: {question}, {name}", f"{took:.1f}", "ms")
        row(f"search: {question}, {name} to ours", f"{took / ours:.1f}", "times")


def size(name, path, events):
    total = sum(os.path.getsize(path + end) for end in ("", "-wal", ".wal") if os.path.exists(path + end))
    row(f"search: events on disk, {name}", f"{total / events:.1f}", "bytes/event")


def main():
    directory = sys.argv[1]
    (begin, day, end), answers = read_answers(directory)
    segments = os.path.join(directory, "events", "segments", "*", "*.parquet")
    duck_path, lite_path = (os.path.join(directory, name) for name in ("events.duckdb", "events.sqlite"))
    for path in (duck_path, lite_path):
        if os.path.exists(path):
            os.remove(path)

    duck = duckdb.connect(duck_path)
    named = ", ".join(f"{source} AS {name}" for source, name in zip(SOURCES, COLUMNS))
    duck.execute(f"CREATE TABLE events AS SELECT {named} FROM read_parquet('{segments}') ORDER BY 1, 2")
    duck.execute("CHECKPOINT")
    (events,) = duck.execute("SELECT count(*) FROM events").fetchone()
    asked = questions(begin, day, end, duckdb_words)
    measure("DuckDB", lambda sql: duck.execute(sql).fetchall(), asked, answers)
    size("DuckDB", duck_path, events)

    lite = sqlite3.connect(lite_path, isolation_level=None)
    lite.execute("PRAGMA journal_mode = OFF")
    lite.execute("PRAGMA synchronous = OFF")
    lite.execute("PRAGMA cache_size = -1000000")
    lite.execute(
        "CREATE TABLE events (time INTEGER, id INTEGER PRIMARY KEY, host TEXT, program TEXT, address "
        'TEXT, port INTEGER, "user" TEXT, action TEXT, outcome TEXT, message TEXT)')
    lite.execute("BEGIN")
    rows = duck.execute("SELECT * FROM events")
    while portion := rows.fetchmany(50_000):
        lite.executemany(f"INSERT INTO events VALUES ({', '.join('?' * len(COLUMNS))})", portion)
    for index in ("time", "host, time", "address, time"):
        lite.execute(f"CREATE INDEX \"by {index}\" ON events ({index})")
    lite.execute("CREATE VIRTUAL TABLE words USING fts5(message, content='events', content_rowid='id')")
    lite.execute("INSERT INTO words (rowid, message) SELECT id, message FROM events")
    lite.execute("COMMIT")
    lite.execute("ANALYZE")
    duck.close()
    asked = questions(begin, day, end, sqlite_words)
    measure("SQLite", lambda sql: lite.execute(sql).fetchall(), asked, answers)
    size("SQLite", lite_path, events)


if __name__ == "__main__":
    main()
