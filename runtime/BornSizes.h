/* Memory for sizes that are born during a run: frames of a program's stages, and outputs of such sizes. */
#ifndef TORSH_RUNTIME_BORNSIZES_H
#define TORSH_RUNTIME_BORNSIZES_H

#include "Context.h"

/* One run, as what its stages ask for sees it. */
typedef struct torsh_rt_birth {
  torsh_context *context;
  const torsh_value *outputs; /* as the caller gave them */
  torsh_error *error;
  torsh_status status; /* what ended the run, with the reason in *error; TORSH_OK so far */
} torsh_rt_birth;

/* Whether prepare() left a dim of the output open. */
int torsh_rt_is_born(const torsh_context *context, uint32_t output);
/* The arena that holds a born output when the context owns it. */
torsh_rt_arena *torsh_rt_born_output(const torsh_context *context, uint32_t output);
/* Bytes that the context holds for all sizes of this kind. */
uint64_t torsh_rt_born_bytes(const torsh_context *context);
void torsh_rt_born_release(torsh_context *context);

/* What torsh_host.frame, output and refuse do. */
int32_t torsh_rt_birth_frame(torsh_rt_birth *birth, uint32_t slot, uint64_t bytes, void **data);
int32_t torsh_rt_birth_output(torsh_rt_birth *birth, uint32_t index, const int64_t *dims, void **data);
int32_t torsh_rt_birth_refuse(torsh_rt_birth *birth, uint32_t guard, int64_t actual, int64_t expected);

#endif
