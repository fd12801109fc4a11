// What PostgreSQL itself makes of the store's appends: a bare loop over libpq that calls the store's function with
// batches, one connection, one statement at a time, nothing around it.
//   append-loop URL EVENTS BATCH [SECONDS]
// The database has the store's schema (`revoked migrate`). Every event is new and revokes one session. Ends after
// EVENTS, or SECONDS if they pass first. Prints one JSON line: events/s, and its own CPU microseconds per event.
//   gcc -O2 -I"$(pg_config --includedir)" -o append-loop append-loop.c -lpq
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

enum { UUID = 2950, TEXT = 25, BIGINT = 20, INTEGER = 23, BYTEA = 17, PARAMETERS = 22 };

// An array in PostgreSQL's binary format.
typedef struct {
  uint8_t *bytes;
  int length, count, type;
} Array;

static void put(Array *a, const void *bytes, int length) {
  memcpy(a->bytes + a->length, bytes, length);
  a->length += length;
}
static void put_number(Array *a, uint64_t number, int width) {
  for (int k = width - 1; k >= 0; k--) a->bytes[a->length++] = number >> 8 * k;
}
static void begin(Array *a, int type) {
  a->type = type;
  a->count = a->length = 0;
  for (int k = 0; k < 5; k++) put_number(a, 0, 4);
}
static void add(Array *a, const void *bytes, int length) {
  put_number(a, length, 4);
  put(a, bytes, length);
  a->count++;
}
static void add_number(Array *a, uint64_t number, int width) {
  put_number(a, width, 4);
  put_number(a, number, width);
  a->count++;
}
static void add_null(Array *a) {
  put_number(a, -1, 4);
  a->count++;
}
// An array of no elements has no dimension.
static void end(Array *a, int has_null) {
  uint32_t head[5] = {a->count > 0, has_null, a->type, a->count, 1};
  int length = a->length;
  a->length = 0;
  for (int k = 0; k < (a->count ? 5 : 3); k++) put_number(a, head[k], 4);
  if (a->count) a->length = length;
}
static double now(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}
static void check(PGconn *c, PGresult *r, ExecStatusType wanted) {
  if (PQresultStatus(r) == wanted) return;
  fprintf(stderr, "%s", PQerrorMessage(c));
  exit(1);
}

int main(int argc, char **argv) {
  if (argc < 4) return fprintf(stderr, "usage: append-loop URL EVENTS BATCH [SECONDS]\n"), 64;
  long events = atol(argv[2]), done = 0;
  int batch = atoi(argv[3]);
  double limit = argc > 4 ? atof(argv[4]) : 1e9;
  PGconn *c = PQconnectdb(argv[1]);
  if (PQstatus(c) != CONNECTION_OK) return fprintf(stderr, "%s", PQerrorMessage(c)), 69;
  check(c, PQexec(c, "SET plan_cache_mode = force_generic_plan"), PGRES_COMMAND_OK);
  char sql[512] = "SELECT * FROM revoked.append_1(";
  for (int k = 1; k <= PARAMETERS; k++) sprintf(sql + strlen(sql), "%s$%d", k == 1 ? "" : ", ", k);
  check(c, PQprepare(c, "append", strcat(sql, ")"), 0, NULL), PGRES_COMMAND_OK);

  // Keys, sources, names, problems, messages, received, occurred, bodies; sessions, numbers, places, revoked, by,
  // remembered, event ids; and no cut-off.
  const int types[PARAMETERS - 1] = {UUID, TEXT, TEXT, TEXT, TEXT, BIGINT, BIGINT, BYTEA, UUID, INTEGER, INTEGER,
    BIGINT, TEXT, BIGINT, TEXT, TEXT, UUID, INTEGER, BIGINT, BIGINT, INTEGER};
  Array arrays[PARAMETERS - 1];
  for (int k = 0; k < PARAMETERS - 1; k++) arrays[k].bytes = malloc(64 + (size_t)batch * 1200);
  char body[768];
  memset(body, 'x', sizeof body);
  double began = now(CLOCK_MONOTONIC);
  while (done < events && now(CLOCK_MONOTONIC) - began < limit) {
    for (int k = 0; k < PARAMETERS - 1; k++) begin(&arrays[k], types[k]);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    uint64_t time = t.tv_sec * 1000ull + t.tv_nsec / 1000000;
    for (int k = 1; k <= batch; k++) {
      uint8_t random[48];
      char id[40];
      if (getrandom(random, sizeof random, 0) != sizeof random) return 71;
      snprintf(id, sizeof id, "%08x-%04x-4%03x-8%03x-%012llx", *(uint32_t *)random, random[4], random[5], random[6],
        *(unsigned long long *)(random + 8) & 0xffffffffffff);
      memcpy(body, random, sizeof random);
      add(&arrays[0], random + 16, 16);
      add(&arrays[1], "webhook", 7);
      add(&arrays[2], "user.session.revoked", 20);
      add_null(&arrays[3]);
      add(&arrays[4], id, 36);
      add_number(&arrays[5], time, 8);
      add_number(&arrays[6], time, 8);
      add(&arrays[7], body, sizeof body);
      add(&arrays[8], random + 32, 16);
      add_number(&arrays[9], k, 4);
      add_number(&arrays[10], k, 4);
      add_number(&arrays[11], time, 8);
      add(&arrays[12], "user", 4);
      add_number(&arrays[13], time, 8);
      add(&arrays[14], id, 36);
    }
    const char *values[PARAMETERS] = {0};
    int lengths[PARAMETERS] = {0}, formats[PARAMETERS];
    for (int k = 0; k < PARAMETERS; k++) formats[k] = 1;
    for (int k = 0; k < PARAMETERS - 1; k++) {
      end(&arrays[k], k == 3);
      values[k] = (char *)arrays[k].bytes;
      lengths[k] = arrays[k].length;
    }
    PGresult *r = PQexecPrepared(c, "append", PARAMETERS, values, lengths, formats, 1);
    check(c, r, PGRES_TUPLES_OK);
    PQclear(r);
    done += batch;
  }
  double seconds = now(CLOCK_MONOTONIC) - began;
  printf("{\"events\":%ld,\"batch\":%d,\"seconds\":%.2f,\"rps\":%.0f,\"cpu_us\":%.2f}\n", done, batch, seconds,
    done / seconds, now(CLOCK_PROCESS_CPUTIME_ID) * 1e6 / done);
  PQfinish(c);
}
