#include "CFaultyDisk.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, SECTOR = 512, LONGEST = 2 << 20 };

typedef struct Image {
  struct Image *next;
  char *path;
  unsigned char *bytes; // on the disk: `size` of them, the rest of LONGEST zero
  int64_t size;
  bool *dirty; // by page: written since the last sync
} Image;

struct FaultyDisk {
  FaultyDisk *next;
  char *folder;
  Image *images;
  int64_t calls, first, last;
  FaultyDiskFault fault;
  bool stopped;
};

typedef struct File {
  sqlite3_file base;
  FaultyDisk *disk;
  Image *image;
  sqlite3_file *real; // behind this structure
} File;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // over everything below
static FaultyDisk *disks;
static sqlite3_vfs *unix_vfs, vfs;

static File *own(sqlite3_file *file) { return (File *)file; }

// Counts a call; answers whether it is one that fails.
static bool fails(FaultyDisk *disk) {
  disk->calls++;
  return disk->calls >= disk->first && disk->calls <= disk->last;
}

static int64_t pages(int64_t bytes) { return (bytes + PAGE - 1) / PAGE; }

static void mark(Image *image, int64_t from, int64_t to) {
  for (int64_t page = from / PAGE; page < pages(to) && page < LONGEST / PAGE; page++) image->dirty[page] = true;
}

static int write_(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 offset) {
  File *f = own(file);
  pthread_mutex_lock(&lock);
  int code = SQLITE_OK, written = count;
  if (f->disk->stopped || offset + count > LONGEST) code = SQLITE_IOERR_WRITE, written = 0;
  else if (fails(f->disk)) {
    code = f->disk->fault == FaultyDiskIsFull ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    written = f->disk->fault == FaultyDiskTears ? count / 2 : 0;
  }
  if (written > 0) {
    int real = f->real->pMethods->xWrite(f->real, bytes, written, offset);
    if (real != SQLITE_OK) code = real;
    mark(f->image, offset, offset + written);
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int truncate_(sqlite3_file *file, sqlite3_int64 size) {
  File *f = own(file);
  pthread_mutex_lock(&lock);
  int code = SQLITE_OK;
  if (f->disk->stopped || (fails(f->disk) && f->disk->fault != FaultyDiskIsFull)) code = SQLITE_IOERR_TRUNCATE;
  else {
    code = f->real->pMethods->xTruncate(f->real, size);
    mark(f->image, size, LONGEST);
  }
  pthread_mutex_unlock(&lock);
  return code;
}

static int sync_(sqlite3_file *file, int flags) {
  (void)flags;
  File *f = own(file);
  pthread_mutex_lock(&lock);
  Image *image = f->image;
  int code = SQLITE_OK;
  if (f->disk->stopped) code = SQLITE_IOERR_FSYNC;
  else {
    bool failed = fails(f->disk) && f->disk->fault != FaultyDiskIsFull;
    sqlite3_int64 size = 0;
    f->real->pMethods->xFileSize(f->real, &size);
    for (int64_t page = 0; page < LONGEST / PAGE; page++) {
      if (!image->dirty[page]) continue;
      image->dirty[page] = false;
      if (failed && (f->disk->fault == FaultyDiskFails || page % 2)) continue;
      memset(image->bytes + page * PAGE, 0, PAGE);
      int64_t count = size - page * PAGE;
      if (count > 0)
        f->real->pMethods->xRead(f->real, image->bytes + page * PAGE, count < PAGE ? (int)count : PAGE, page * PAGE);
    }
    if (!failed || f->disk->fault == FaultyDiskTears) image->size = size;
    if (failed) code = SQLITE_IOERR_FSYNC;
  }
  pthread_mutex_unlock(&lock);
  return code;
}

// What changes nothing on the disk is SQLite's own.
static int close_(sqlite3_file *file) { return own(file)->real->pMethods->xClose(own(file)->real); }
static int read_(sqlite3_file *file, void *bytes, int count, sqlite3_int64 offset) {
  return own(file)->real->pMethods->xRead(own(file)->real, bytes, count, offset);
}
static int size_(sqlite3_file *file, sqlite3_int64 *size) {
  return own(file)->real->pMethods->xFileSize(own(file)->real, size);
}
static int lock_(sqlite3_file *file, int level) { return own(file)->real->pMethods->xLock(own(file)->real, level); }
static int unlock_(sqlite3_file *file, int level) { return own(file)->real->pMethods->xUnlock(own(file)->real, level); }
static int reserved_(sqlite3_file *file, int *answer) {
  return own(file)->real->pMethods->xCheckReservedLock(own(file)->real, answer);
}
static int control_(sqlite3_file *file, int op, void *argument) {
  return op == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK
                                      : own(file)->real->pMethods->xFileControl(own(file)->real, op, argument);
}
static int sector_(sqlite3_file *file) { return own(file)->real->pMethods->xSectorSize(own(file)->real); }
static int traits_(sqlite3_file *file) { return own(file)->real->pMethods->xDeviceCharacteristics(own(file)->real); }
static int map_(sqlite3_file *file, int page, int size, int extend, void volatile **answer) {
  return own(file)->real->pMethods->xShmMap(own(file)->real, page, size, extend, answer);
}
static int shared_lock_(sqlite3_file *file, int offset, int n, int flags) {
  return own(file)->real->pMethods->xShmLock(own(file)->real, offset, n, flags);
}
static void barrier_(sqlite3_file *file) { own(file)->real->pMethods->xShmBarrier(own(file)->real); }
static int unmap_(sqlite3_file *file, int delete) {
  return own(file)->real->pMethods->xShmUnmap(own(file)->real, delete);
}

static const sqlite3_io_methods methods = {
    2,         close_,   read_,   write_,  truncate_, sync_,        size_,    lock_,  unlock_,
    reserved_, control_, sector_, traits_, map_,      shared_lock_, barrier_, unmap_,
};

static FaultyDisk *disk_of(const char *path) {
  for (FaultyDisk *disk = disks; disk && path; disk = disk->next) {
    size_t length = strlen(disk->folder);
    if (!strncmp(path, disk->folder, length) && path[length] == '/') return disk;
  }
  return 0;
}

static Image *image_of(FaultyDisk *disk, const char *path) {
  for (Image *image = disk->images; image; image = image->next)
    if (!strcmp(image->path, path)) return image;
  Image *image = calloc(1, sizeof *image);
  image->path = strdup(path);
  image->bytes = calloc(1, LONGEST);
  image->dirty = calloc(LONGEST / PAGE, sizeof *image->dirty);
  FILE *file = fopen(path, "rb");
  if (file) {
    image->size = (int64_t)fread(image->bytes, 1, LONGEST, file);
    fclose(file);
  }
  image->next = disk->images;
  disk->images = image;
  return image;
}

static int open_(sqlite3_vfs *v, const char *path, sqlite3_file *file, int flags, int *answer) {
  (void)v;
  pthread_mutex_lock(&lock);
  FaultyDisk *disk = disk_of(path);
  int code;
  if (!disk) code = unix_vfs->xOpen(unix_vfs, path, file, flags, answer);
  else if (disk->stopped) file->pMethods = 0, code = SQLITE_CANTOPEN;
  else {
    File *f = own(file);
    f->base.pMethods = 0;
    f->disk = disk;
    f->image = image_of(disk, path);
    f->real = (sqlite3_file *)(f + 1);
    code = unix_vfs->xOpen(unix_vfs, path, f->real, flags, answer);
    if (f->real->pMethods) f->base.pMethods = &methods;
  }
  pthread_mutex_unlock(&lock);
  return code;
}

// Durable at once, which is the worst that can happen: whatever the file was needed for must be on the disk before.
static int delete_(sqlite3_vfs *v, const char *path, int sync) {
  (void)v;
  pthread_mutex_lock(&lock);
  FaultyDisk *disk = disk_of(path);
  int code = disk && disk->stopped ? SQLITE_IOERR_DELETE : unix_vfs->xDelete(unix_vfs, path, sync);
  if (disk && code == SQLITE_OK) {
    Image *image = image_of(disk, path);
    memset(image->bytes, 0, LONGEST);
    memset(image->dirty, 0, LONGEST / PAGE * sizeof *image->dirty);
    image->size = 0;
  }
  pthread_mutex_unlock(&lock);
  return code;
}

FaultyDisk *faulty_disk_watch(const char *folder) {
  sqlite3_initialize();
  pthread_mutex_lock(&lock);
  if (!unix_vfs) {
    unix_vfs = sqlite3_vfs_find(0);
    vfs = *unix_vfs;
    vfs.zName = "faulty-disk";
    vfs.szOsFile += sizeof(File);
    vfs.xOpen = open_;
    vfs.xDelete = delete_;
    sqlite3_vfs_register(&vfs, 1);
  }
  FaultyDisk *disk = calloc(1, sizeof *disk);
  disk->folder = strdup(folder);
  disk->next = disks;
  disks = disk;
  pthread_mutex_unlock(&lock);
  return disk;
}

void faulty_disk_forget(FaultyDisk *disk) {
  pthread_mutex_lock(&lock);
  FaultyDisk **link = &disks;
  while (*link != disk) link = &(*link)->next;
  *link = disk->next;
  for (Image *image = disk->images, *next; image; image = next) {
    next = image->next;
    free(image->path), free(image->bytes), free(image->dirty), free(image);
  }
  free(disk->folder), free(disk);
  pthread_mutex_unlock(&lock);
}

void faulty_disk_fail(FaultyDisk *disk, int64_t n, int64_t count, FaultyDiskFault fault) {
  pthread_mutex_lock(&lock);
  disk->first = disk->calls + n;
  disk->last = disk->first + count - 1;
  disk->fault = fault;
  pthread_mutex_unlock(&lock);
}

int64_t faulty_disk_calls(FaultyDisk *disk) {
  pthread_mutex_lock(&lock);
  int64_t calls = disk->calls;
  pthread_mutex_unlock(&lock);
  return calls;
}

void faulty_disk_stop(FaultyDisk *disk) {
  pthread_mutex_lock(&lock);
  disk->stopped = true;
  pthread_mutex_unlock(&lock);
}

void faulty_disk_restart(FaultyDisk *disk) {
  pthread_mutex_lock(&lock);
  disk->stopped = false;
  disk->first = disk->last = 0;
  pthread_mutex_unlock(&lock);
}

static uint64_t mix(uint64_t *state) {
  uint64_t x = *state += 0x9e3779b97f4a7c15ull;
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
  x = (x ^ x >> 27) * 0x94d049bb133111ebull;
  return x ^ x >> 31;
}

void faulty_disk_cut(FaultyDisk *disk, uint64_t seed) {
  pthread_mutex_lock(&lock);
  unsigned char *cache = malloc(LONGEST);
  for (Image *image = disk->images; image; image = image->next) {
    size_t length = strlen(image->path);
    FILE *file = fopen(image->path, "r+b");
    if (!file) continue;
    memset(cache, 0, LONGEST);
    int64_t size = (int64_t)fread(cache, 1, LONGEST, file);
    for (int64_t sector = 0; sector < LONGEST / SECTOR; sector++) {
      if (!image->dirty[sector * SECTOR / PAGE] || mix(&seed) % 2) continue;
      memcpy(image->bytes + sector * SECTOR, cache + sector * SECTOR, SECTOR);
    }
    bool dirty = memchr(image->dirty, true, LONGEST / PAGE * sizeof *image->dirty) != 0;
    if (dirty && mix(&seed) % 2) image->size = size;
    memset(image->dirty, 0, LONGEST / PAGE * sizeof *image->dirty);
    memset(image->bytes + image->size, 0, (size_t)(LONGEST - image->size));
    rewind(file);
    fwrite(image->bytes, 1, (size_t)image->size, file);
    fflush(file);
    if (ftruncate(fileno(file), image->size) != 0) abort();
    fclose(file);
    // The shared index of the log lives in memory.
    if (length > 4 && !strcmp(image->path + length - 4, "-wal")) {
      char *index = strdup(image->path);
      memcpy(index + length - 4, "-shm", 4);
      unlink(index);
      free(index);
    }
  }
  free(cache);
  disk->stopped = false;
  disk->first = disk->last = 0;
  pthread_mutex_unlock(&lock);
}
