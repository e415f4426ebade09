#define _GNU_SOURCE
#include "ArtifactFile.h"
#include "JsonField.h"
#include "Status.h"
#include "artifact/Sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Opens a regular file and finds its size. Without stat, whose symbol is newer than glibc 2.28: a pipe or a
 * folder fails to seek or to map, and O_NONBLOCK keeps a pipe from blocking. */
static torsh_status open_regular(const char *path, int *fd, uint64_t *size, torsh_error *error) {
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (*fd < 0)
    return torsh_rt_fail(error, TORSH_E_IO, "cannot open %s: %s.", path, strerror(errno));
  off_t end = lseek(*fd, 0, SEEK_END);
  char probe;
  if (end < 0 || pread(*fd, &probe, 1, 0) < 0) {
    int reason = errno;
    close(*fd);
    *fd = -1;
    return torsh_rt_fail(error, TORSH_E_IO, "cannot read %s: %s.", path, strerror(reason));
  }
  *size = (uint64_t)end;
  return TORSH_OK;
}

static torsh_status read_trailer(const char *path, torsh_rt_file *file, torsh_error *error) {
  if (file->size < sizeof(torsh_trailer))
    return torsh_rt_fail(error, TORSH_E_FORMAT, "%s is not a ToRSh artifact: it has only %llu bytes.", path,
                         (unsigned long long)file->size);
  const uint64_t trailer_offset = file->size - sizeof(torsh_trailer);
  if (pread(file->fd, &file->trailer, sizeof(torsh_trailer), (off_t)trailer_offset) !=
      (ssize_t)sizeof(torsh_trailer))
    return torsh_rt_fail(error, TORSH_E_IO, "cannot read the last %zu bytes of %s: %s.",
                         sizeof(torsh_trailer), path, strerror(errno));
  const torsh_trailer *t = &file->trailer;
  if (memcmp(t->magic, TORSH_TRAILER_MAGIC, sizeof(t->magic)) != 0)
    return torsh_rt_fail(error, TORSH_E_FORMAT,
                         "%s is not a ToRSh artifact, or was truncated: the trailer at its end is missing.",
                         path);
  if (t->version != TORSH_ARTIFACT_VERSION || t->flags & ~TORSH_TRAILER_WEIGHTS_SIDECAR)
    return torsh_rt_fail(
        error, TORSH_E_VERSION,
        "%s has artifact version %u, flags 0x%x; this runtime reads version %u. Compile the model "
        "again with the compiler of this runtime.",
        path, t->version, t->flags, TORSH_ARTIFACT_VERSION);
  /* Compared by subtraction, so that no sum can overflow. */
  int inside = t->elf_size >= 64 && t->elf_size <= t->metadata_offset &&
               t->metadata_offset <= trailer_offset &&
               t->metadata_size <= trailer_offset - t->metadata_offset && t->metadata_size > 0;
  if (inside && t->flags & TORSH_TRAILER_WEIGHTS_SIDECAR)
    inside = t->weights_offset == 0;
  else if (inside && t->weights_size)
    inside = t->weights_offset % TORSH_WEIGHTS_ALIGNMENT == 0 &&
             t->weights_offset >= t->metadata_offset + t->metadata_size &&
             t->weights_offset <= trailer_offset && t->weights_size <= trailer_offset - t->weights_offset;
  if (!inside)
    return torsh_rt_fail(error, TORSH_E_FORMAT, "%s is damaged: its trailer names parts outside the file.",
                         path);
  return TORSH_OK;
}

static torsh_status check_code(const char *path, torsh_rt_file *file, torsh_error *error) {
  const torsh_trailer *t = &file->trailer;
  const size_t size = (size_t)(t->metadata_offset + t->metadata_size);
  uint8_t *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file->fd, 0);
  if (bytes == MAP_FAILED)
    return torsh_rt_fail(error, TORSH_E_IO, "cannot map %s: %s.", path, strerror(errno));
  uint8_t digest[32];
  torsh_sha256_of(bytes, size, digest);
  torsh_status status = TORSH_OK;
  if (memcmp(digest, t->code_sha256, sizeof(digest)) != 0)
    status = torsh_rt_fail(
        error, TORSH_E_DIGEST,
        "%s is damaged: code and metadata do not match the digest in the trailer. Nothing of it "
        "was run.",
        path);
  else if (memcmp(bytes, "\177ELF", 4) != 0)
    status = torsh_rt_fail(error, TORSH_E_FORMAT, "%s does not begin with an ELF header.", path);
  else if (!(file->metadata = malloc((size_t)t->metadata_size + 1)))
    status = torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory for %llu bytes of metadata of %s.",
                           (unsigned long long)t->metadata_size, path);
  if (status == TORSH_OK) {
    memcpy(file->metadata, bytes + t->metadata_offset, (size_t)t->metadata_size);
    file->metadata[t->metadata_size] = '\0';
  }
  munmap(bytes, size);
  return status;
}

torsh_status torsh_rt_file_open(const char *path, torsh_rt_file *file, torsh_error *error) {
  memset(file, 0, sizeof(*file));
  torsh_status status = open_regular(path, &file->fd, &file->size, error);
  if (status)
    return status;
  status = read_trailer(path, file, error);
  if (!status)
    status = check_code(path, file, error);
  if (status)
    torsh_rt_file_close(file);
  return status;
}

void torsh_rt_file_close(torsh_rt_file *file) {
  if (file->fd >= 0)
    close(file->fd);
  file->fd = -1;
  free(file->metadata);
  file->metadata = NULL;
}

void torsh_rt_unmap(torsh_rt_mapping *mapping) {
  if (mapping->data)
    munmap(mapping->data, mapping->size);
  mapping->data = NULL;
  mapping->size = 0;
}

static torsh_status map(int fd, const char *path, uint64_t offset, uint64_t size, torsh_rt_mapping *weights,
                        torsh_error *error) {
  void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, (off_t)offset);
  if (data == MAP_FAILED)
    return torsh_rt_fail(error, TORSH_E_IO, "cannot map %llu bytes of weights of %s: %s.",
                         (unsigned long long)size, path, strerror(errno));
  weights->data = data;
  weights->size = size;
  return TORSH_OK;
}

static torsh_status map_whole(const char *path, uint64_t size, torsh_rt_mapping *weights,
                              torsh_error *error) {
  int fd = -1;
  uint64_t actual = 0;
  torsh_status status = open_regular(path, &fd, &actual, error);
  if (status)
    return status;
  if (actual != size)
    status =
        torsh_rt_fail(error, TORSH_E_FORMAT, "the weights file %s has %llu bytes; the artifact needs %llu.",
                      path, (unsigned long long)actual, (unsigned long long)size);
  else
    status = map(fd, path, 0, size, weights, error);
  close(fd);
  return status;
}

/* The side file lies beside the artifact and is named by a plain file name, so that metadata cannot point
 * elsewhere. */
static torsh_status map_sidecar(const torsh_rt_file *file, const char *path, torsh_rt_mapping *weights,
                                torsh_error *error) {
  char name[256];
  if (torsh_rt_json_string(file->metadata, (size_t)file->trailer.metadata_size, "weights_file", name,
                           sizeof(name)) ||
      !name[0] || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, ".."))
    return torsh_rt_fail(
        error, TORSH_E_FORMAT,
        "%s keeps its weights in a side file, but its metadata has no plain file name for it.", path);
  const char *slash = strrchr(path, '/');
  size_t folder = slash ? (size_t)(slash - path) + 1 : 0, length = strlen(name);
  char *joined = malloc(folder + length + 1);
  if (!joined)
    return torsh_rt_fail(error, TORSH_E_NO_MEMORY, "no memory to open %s.", name);
  memcpy(joined, path, folder);
  memcpy(joined + folder, name, length + 1);
  torsh_status status = map_whole(joined, file->trailer.weights_size, weights, error);
  free(joined);
  return status;
}

torsh_status torsh_rt_file_map_weights(const torsh_rt_file *file, const char *path, const char *weights_path,
                                       torsh_rt_mapping *weights, torsh_error *error) {
  weights->data = NULL;
  weights->size = 0;
  const torsh_trailer *t = &file->trailer;
  if (!t->weights_size)
    return TORSH_OK;
  if (weights_path)
    return map_whole(weights_path, t->weights_size, weights, error);
  if (t->flags & TORSH_TRAILER_WEIGHTS_SIDECAR)
    return map_sidecar(file, path, weights, error);
  return map(file->fd, path, t->weights_offset, t->weights_size, weights, error);
}

torsh_status torsh_rt_verify_file(const char *path, const char *weights_path, torsh_error *error) {
  torsh_rt_clear(error);
  if (!path)
    return torsh_rt_fail(error, TORSH_E_INVALID_ARGUMENT, "verify_file: the path is NULL.");
  torsh_rt_file file;
  torsh_rt_mapping weights;
  torsh_status status = torsh_rt_file_open(path, &file, error);
  if (status)
    return status;
  status = torsh_rt_file_map_weights(&file, path, weights_path, &weights, error);
  if (!status) {
    uint8_t digest[32];
    torsh_sha256_of(weights.data, (size_t)weights.size, digest);
    if (memcmp(digest, file.trailer.weights_sha256, sizeof(digest)) != 0)
      status = torsh_rt_fail(error, TORSH_E_DIGEST, "the weights of %s do not match their digest.", path);
    torsh_rt_unmap(&weights);
  }
  torsh_rt_file_close(&file);
  return status;
}
