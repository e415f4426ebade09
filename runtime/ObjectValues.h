/* Objects at the border: the caller's lists, strings and optionals become objects, and objects theirs. */
#ifndef TORSH_RUNTIME_OBJECTVALUES_H
#define TORSH_RUNTIME_OBJECTVALUES_H

#include "Objects.h"

/* Copies the value of an input into the table. */
torsh_status torsh_rt_object_from_value(torsh_rt_objects *table, const torsh_port *port, uint32_t index,
                                        const torsh_value *value, int64_t *handle, torsh_error *error);
/* Describes an object as a value; what it points to is the table's. */
torsh_status torsh_rt_object_to_value(torsh_rt_objects *table, const torsh_port *port, uint32_t index,
                                      int64_t handle, torsh_value *value, torsh_error *error);

#endif
