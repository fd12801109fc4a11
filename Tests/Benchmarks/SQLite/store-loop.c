// What SQLite itself makes of the store's rows: a bare loop that commits them in batches, one thread, nothing around
// it.
//   store-loop FILE EVENTS BATCH [--fill N] [--page BYTES] [--checkpoint PAGES] [--cache KIB]
//              [--body BYTES] [--mmap BYTES]
// FILE is made with the tables of Sources/RevocationStore/Schema when missing. --fill first brings
// it to N sessions without syncing, in random key order as a server would have. Settings as the server's: WAL,
// synchronous=FULL. Prints one JSON line: events/s, CPU microseconds per event, and the median time of an fsync on that
// disk.
//   gcc -O2 -o store-loop store-loop.c -lsqlite3
#define _GNU_SOURCE
#include <fcntl.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static sqlite3 *db;
static uint64_t state;
static uint64_t next(void) {
  uint64_t x = state += 0x9e3779b97f4a7c15ull;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static double cpu(void) {
  struct rusage u;
  getrusage(RUSAGE_SELF, &u);
  return u.ru_utime.tv_sec + u.ru_stime.tv_sec + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
static void check(int code, const char *what) {
  if (code != SQLITE_OK && code != SQLITE_DONE && code != SQLITE_ROW) {
    fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
    exit(1);
  }
}
static void run(const char *sql) { check(sqlite3_exec(db, sql, 0, 0, 0), sql); }
static int64_t number(const char *sql) {
  sqlite3_stmt *s;
  check(sqlite3_prepare_v2(db, sql, -1, &s, 0), sql);
  check(sqlite3_step(s), sql);
  int64_t n = sqlite3_column_int64(s, 0);
  sqlite3_finalize(s);
  return n;
}
static sqlite3_stmt *prepare(const char *sql) {
  sqlite3_stmt *s;
  check(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, 0), sql);
  return s;
}
static void step(sqlite3_stmt *s) {
  check(sqlite3_step(s), "step");
  check(sqlite3_reset(s), "reset");
}
static int compare(const void *a, const void *b) {
  double x = *(double *)a, y = *(double *)b;
  return x < y ? -1 : x > y;
}

static double sync_time(const char *file) {
  char path[4096];
  snprintf(path, sizeof path, "%s-fsync", file);
  int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
  double times[101];
  char page[4096] = {1};
  for (int i = 0; i < 101; i++) {
    if (write(fd, page, sizeof page) < 0) exit(1);
    double t = now();
    fdatasync(fd);
    times[i] = now() - t;
  }
  close(fd);
  unlink(path);
  qsort(times, 101, sizeof *times, compare);
  return times[50];
}

static const char *TABLES =
    "CREATE TABLE IF NOT EXISTS event (seq INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, name TEXT, problem TEXT, "
    "messages TEXT NOT NULL,"
    " received_at INTEGER NOT NULL, occurred_at INTEGER, body BLOB NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS revocation (seq INTEGER PRIMARY KEY, session BLOB NOT NULL UNIQUE, revoked_at INTEGER "
    "NOT NULL, revoked_by TEXT NOT NULL,"
    " remember_from INTEGER NOT NULL, event_seq INTEGER NOT NULL, event_id TEXT) STRICT;"
    "CREATE TABLE IF NOT EXISTS tally (id INTEGER PRIMARY KEY CHECK (id = 1), last_event INTEGER NOT NULL DEFAULT 0, "
    "last_revocation INTEGER NOT NULL DEFAULT 0,"
    " events INTEGER NOT NULL DEFAULT 0, revocations INTEGER NOT NULL DEFAULT 0, undecodable INTEGER NOT NULL DEFAULT "
    "0, last_received_at INTEGER, probes INTEGER NOT NULL DEFAULT 0) STRICT;"
    "INSERT OR IGNORE INTO tally (id) VALUES (1);"
    "CREATE TABLE IF NOT EXISTS handler (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, position INTEGER NOT NULL, "
    "added_at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS delivery (handler_id INTEGER NOT NULL, event_seq INTEGER NOT NULL, attempts INTEGER "
    "NOT NULL, attempted_at INTEGER NOT NULL,"
    " next_at INTEGER, last_error TEXT NOT NULL, PRIMARY KEY (handler_id, event_seq)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS delivery_due ON delivery (handler_id, next_at) WHERE next_at IS NOT NULL;"
    "PRAGMA application_id = 1920363364; PRAGMA user_version = 1;";

static int64_t seq;
static int body_bytes = 557;
static sqlite3_stmt *event, *revocation, *tally;
static void insert(int64_t at) {
  static char body[1 << 18];
  uint64_t key[2] = {next(), next()}, session[2] = {next(), next()};
  char message[37], id[37];
  snprintf(message, 37, "%08x-0000-4000-8000-%012llx", (unsigned)next(),
           (unsigned long long)(next() & 0xffffffffffffull));
  snprintf(id, 37, "%08x-0000-4000-8000-%012llx", (unsigned)key[0], (unsigned long long)(key[1] & 0xffffffffffffull));
  if (!body[0]) memset(body, 'x', sizeof body);
  seq++;
  sqlite3_bind_int64(event, 1, seq);
  sqlite3_bind_blob(event, 2, key, 16, SQLITE_STATIC);
  sqlite3_bind_text(event, 3, "user.session.revoked", -1, SQLITE_STATIC);
  sqlite3_bind_text(event, 4, message, 36, SQLITE_STATIC);
  sqlite3_bind_int64(event, 5, at);
  sqlite3_bind_int64(event, 6, at - 300);
  sqlite3_bind_blob(event, 7, body, body_bytes, SQLITE_STATIC);
  step(event);
  sqlite3_bind_int64(revocation, 1, seq);
  sqlite3_bind_blob(revocation, 2, session, 16, SQLITE_STATIC);
  sqlite3_bind_int64(revocation, 3, at);
  sqlite3_bind_text(revocation, 4, "user", 4, SQLITE_STATIC);
  sqlite3_bind_int64(revocation, 5, at - (int64_t)(next() % 2592000000ull));
  sqlite3_bind_int64(revocation, 6, seq);
  sqlite3_bind_text(revocation, 7, id, 36, SQLITE_STATIC);
  step(revocation);
}
static void count(int64_t at) {
  for (int i = 1; i <= 4; i++) sqlite3_bind_int64(tally, i, seq);
  sqlite3_bind_int64(tally, 5, 0);
  sqlite3_bind_int64(tally, 6, at);
  step(tally);
}

int main(int argc, char **argv) {
  if (argc < 4) {
    fprintf(stderr, "store-loop FILE EVENTS BATCH [options]\n");
    return 64;
  }
  const char *file = argv[1];
  int64_t events = atoll(argv[2]), batch = atoll(argv[3]), fill = 0, page = 4096, checkpoint = 10000, cache = 2000,
          map = 0;
  for (int i = 4; i + 1 < argc; i += 2) {
    int64_t v = atoll(argv[i + 1]);
    if (!strcmp(argv[i], "--fill")) fill = v;
    else if (!strcmp(argv[i], "--page")) page = v;
    else if (!strcmp(argv[i], "--checkpoint")) checkpoint = v;
    else if (!strcmp(argv[i], "--cache")) cache = v;
    else if (!strcmp(argv[i], "--body")) body_bytes = v;
    else if (!strcmp(argv[i], "--mmap")) map = v;
    else return 64;
  }
  char sql[200];
  check(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, 0), file);
  snprintf(sql, sizeof sql, "PRAGMA page_size = %lld", (long long)page);
  run(sql);
  run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  run(TABLES);
  event = prepare("INSERT INTO event (seq, key, name, problem, messages, received_at, occurred_at, body) VALUES (?, ?, "
                  "?, NULL, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING");
  revocation = prepare("INSERT INTO revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, "
                       "event_id) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (session) DO NOTHING");
  tally = prepare("UPDATE tally SET last_event = ?, last_revocation = ?, events = ?, revocations = ?, undecodable = ?, "
                  "last_received_at = ?");
  seq = number("SELECT last_event FROM tally");
  state = 1 + (uint64_t)seq * 1000003;
  int64_t at = (int64_t)time(0) * 1000;
  if (seq < fill) {
    sqlite3_finalize(event);
    sqlite3_finalize(revocation);
    sqlite3_finalize(tally);
    run("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -4000000; PRAGMA locking_mode = "
        "EXCLUSIVE");
    event = prepare("INSERT INTO event (seq, key, name, problem, messages, received_at, occurred_at, body) VALUES (?, "
                    "?, ?, NULL, ?, ?, ?, ?)");
    revocation = prepare("INSERT INTO revocation (seq, session, revoked_at, revoked_by, remember_from, event_seq, "
                         "event_id) VALUES (?, ?, ?, ?, ?, ?, ?)");
    tally = prepare("UPDATE tally SET last_event = ?, last_revocation = ?, events = ?, revocations = ?, undecodable = "
                    "?, last_received_at = ?");
    run("BEGIN");
    while (seq < fill) insert(at);
    count(at);
    run("COMMIT");
    sqlite3_finalize(event);
    sqlite3_finalize(revocation);
    sqlite3_finalize(tally);
    sqlite3_close(db);
    int fd = open(file, O_RDWR);
    fsync(fd);
    close(fd);
    fprintf(stderr, "filled to %lld\n", (long long)seq);
    if (events == 0) {
      sqlite3_open(file, &db);
      run("PRAGMA journal_mode = WAL");
      sqlite3_close(db);
      return 0;
    }
    char *arguments[argc + 1];
    int n = 0;
    for (int i = 0; i < argc; i++)
      if (!strcmp(argv[i], "--fill")) i++;
      else arguments[n++] = argv[i];
    arguments[n] = 0;
    execv("/proc/self/exe", arguments);
    return 1;
  }
  snprintf(sql, sizeof sql, "PRAGMA wal_autocheckpoint = %lld", (long long)checkpoint);
  run(sql);
  snprintf(sql, sizeof sql, "PRAGMA cache_size = -%lld", (long long)cache);
  run(sql);
  snprintf(sql, sizeof sql, "PRAGMA mmap_size = %lld", (long long)map);
  run(sql);
  double fsync_s = sync_time(file), t = now(), c = cpu(), worst = 0;
  int64_t before = seq;
  sqlite3_stmt *begin = prepare("BEGIN IMMEDIATE"), *commit = prepare("COMMIT");
  for (int64_t done = 0; done < events; done += batch) {
    double b = now();
    step(begin);
    for (int64_t i = 0; i < batch; i++) insert(at);
    count(at);
    step(commit);
    if (now() - b > worst) worst = now() - b;
  }
  t = now() - t;
  c = cpu() - c;
  printf("{\"rows_before\": %lld, \"events\": %lld, \"batch\": %lld, \"events_per_s\": %.0f, \"cpu_us_per_event\": "
         "%.1f, \"slowest_commit_ms\": %.1f, \"fdatasync_ms\": %.3f, \"page\": %lld, \"checkpoint\": %lld}\n",
         (long long)before, (long long)events, (long long)batch, events / t, c / events * 1e6, worst * 1e3,
         fsync_s * 1e3, (long long)page, (long long)checkpoint);
  return 0;
}
