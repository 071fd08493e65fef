#pragma once

// The part of libdtrace 2.x that TraceConsumer calls, with the layouts of its dtrace.h: Debian 12 and
// 13 have neither the library nor the header. The library is opened at run time, so there are types of
// functions here and no functions. A test compares every layout with the header that comes with it.

#include <stdint.h>
#include <stdio.h>

/// The version of the interface that is asked for: DTRACE_VERSION.
#define CTRACE_DTRACE_VERSION 3

/// What callbacks answer.
#define CTRACE_DTRACE_CONSUME_THIS 0
#define CTRACE_DTRACE_CONSUME_NEXT 1
#define CTRACE_DTRACE_HANDLE_OK 0
#define CTRACE_DTRACE_AGGWALK_NEXT 0

/// What `dtrace_work` returns.
#define CTRACE_DTRACE_WORKSTATUS_ERROR -1
#define CTRACE_DTRACE_WORKSTATUS_OKAY 0
#define CTRACE_DTRACE_WORKSTATUS_DONE 1

typedef struct dtrace_hdl ctrace_dtrace_handle;
typedef struct dtrace_prog ctrace_dtrace_program;

/// dtrace_probedesc_t
typedef struct {
  uint32_t identifier;
  const char *provider;
  const char *module;
  const char *function;
  const char *name;
} ctrace_dtrace_probe;

/// dtrace_recdesc_t
typedef struct {
  uint16_t action;
  uint32_t size;
  uint32_t offset;
  uint16_t alignment;
  void *format;
  uint64_t argument;
} ctrace_dtrace_record;

/// dtrace_probedata_t
typedef struct {
  ctrace_dtrace_handle *handle;
  uint32_t statement;
  void *description;
  ctrace_dtrace_probe *probe;
  unsigned int cpu;
  /// Of the record that the callback is called for.
  char *data;
  int flow;
  const char *prefix;
  int indent;
} ctrace_dtrace_probedata;

/// dtrace_aggdesc_t
typedef struct {
  /// Without the `@`; `_` is the aggregation without a name.
  char *name;
  uint32_t variable;
  int flags;
  /// The arguments of lquantize and llquantize.
  uint64_t signature;
  uint64_t normal;
  uint32_t key_size;
  uint32_t data_size;
  unsigned int key_record_count;
  unsigned int key_index;
  /// The first one is the variable.
  ctrace_dtrace_record *key_records;
  /// The first one counts how often it was cleared, the second is the value.
  ctrace_dtrace_record *data_records;
} ctrace_dtrace_aggregation;

/// dtrace_aggdata_t
typedef struct {
  ctrace_dtrace_handle *handle;
  ctrace_dtrace_aggregation *description;
  char *key;
  char *data;
  char **per_cpu;
} ctrace_dtrace_aggdata;

/// dtrace_errdata_t
typedef struct {
  ctrace_dtrace_handle *handle;
  void *description;
  ctrace_dtrace_probe *probe;
  unsigned int cpu;
  int action;
  int offset;
  int fault;
  uint64_t address;
  const char *message;
} ctrace_dtrace_errdata;

/// dtrace_dropkind_t: what was lost.
typedef enum {
  CTRACE_DTRACE_DROP_PRINCIPAL,
  CTRACE_DTRACE_DROP_AGGREGATION,
} ctrace_dtrace_dropkind;

/// dtrace_dropdata_t
typedef struct {
  ctrace_dtrace_handle *handle;
  unsigned int cpu;
  ctrace_dtrace_dropkind kind;
  uint64_t drops;
  uint64_t total;
  const char *message;
} ctrace_dtrace_dropdata;

typedef int (*ctrace_dtrace_consume_probe)(const ctrace_dtrace_probedata *, void *);
typedef int (*ctrace_dtrace_consume_record)(const ctrace_dtrace_probedata *, const ctrace_dtrace_record *,
                                            void *);
typedef int (*ctrace_dtrace_on_error)(const ctrace_dtrace_errdata *, void *);
typedef int (*ctrace_dtrace_on_drop)(const ctrace_dtrace_dropdata *, void *);
typedef int (*ctrace_dtrace_on_aggregate)(const ctrace_dtrace_aggdata *, void *);

// The functions, as types: the name is what follows `ctrace_`.
typedef ctrace_dtrace_handle *(*ctrace_dtrace_open)(int, int, int *);
typedef int (*ctrace_dtrace_init)(ctrace_dtrace_handle *);
typedef void (*ctrace_dtrace_close)(ctrace_dtrace_handle *);
typedef int (*ctrace_dtrace_errno)(ctrace_dtrace_handle *);
typedef const char *(*ctrace_dtrace_errmsg)(ctrace_dtrace_handle *, int);
typedef int (*ctrace_dtrace_setopt)(ctrace_dtrace_handle *, const char *, const char *);
typedef int (*ctrace_dtrace_handle_err)(ctrace_dtrace_handle *, ctrace_dtrace_on_error, void *);
typedef int (*ctrace_dtrace_handle_drop)(ctrace_dtrace_handle *, ctrace_dtrace_on_drop, void *);
typedef ctrace_dtrace_program *(*ctrace_dtrace_program_fcompile)(ctrace_dtrace_handle *, FILE *, unsigned int,
                                                                 int, char *const *);
typedef int (*ctrace_dtrace_program_exec)(ctrace_dtrace_handle *, ctrace_dtrace_program *, void *);
typedef int (*ctrace_dtrace_go)(ctrace_dtrace_handle *, unsigned int);
typedef int (*ctrace_dtrace_stop)(ctrace_dtrace_handle *);
typedef int (*ctrace_dtrace_work)(ctrace_dtrace_handle *, FILE *, ctrace_dtrace_consume_probe,
                                  ctrace_dtrace_consume_record, void *);
typedef int (*ctrace_dtrace_aggregate_snap)(ctrace_dtrace_handle *);
typedef int (*ctrace_dtrace_aggregate_walk)(ctrace_dtrace_handle *, ctrace_dtrace_on_aggregate, void *);
typedef int (*ctrace_dtrace_addr2str)(ctrace_dtrace_handle *, uint64_t, char *, int);
typedef int (*ctrace_dtrace_uaddr2str)(ctrace_dtrace_handle *, int, uint64_t, char *, int);
