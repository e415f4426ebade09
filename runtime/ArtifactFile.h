/* Reading an artifact as a file: trailer, bounds, digests, metadata, weights. Executes nothing of it. */
#ifndef TORSH_RUNTIME_ARTIFACTFILE_H
#define TORSH_RUNTIME_ARTIFACTFILE_H

#include "torsh/artifact.h"
#include "torsh/torsh.h"

typedef struct torsh_rt_file {
  int fd;
  uint64_t size;
  torsh_trailer trailer;
  char *metadata; /* NUL-terminated copy */
} torsh_rt_file;

typedef struct torsh_rt_mapping {
  void *data; /* NULL when size is 0 */
  uint64_t size;
} torsh_rt_mapping;

/* Opens the file, checks trailer, bounds and the digest of code and metadata. On failure nothing stays open.
 */
torsh_status torsh_rt_file_open(const char *path, torsh_rt_file *file, torsh_error *error);
void torsh_rt_file_close(torsh_rt_file *file);

/* Maps the weights read-only: of `weights_path` if not NULL, else of the side file or the artifact itself. */
torsh_status torsh_rt_file_map_weights(const torsh_rt_file *file, const char *path, const char *weights_path,
                                       torsh_rt_mapping *weights, torsh_error *error);
void torsh_rt_unmap(torsh_rt_mapping *mapping);

/* Code, metadata and weights digests. */
torsh_status torsh_rt_verify_file(const char *path, const char *weights_path, torsh_error *error);

#endif
