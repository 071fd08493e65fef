// Compiles if libdtrace.h has the layouts, constants and functions of libdtrace's own dtrace.h.

#include <dtrace.h>
#include <stddef.h>

#include "libdtrace.h"

#define SAME(left, right) _Static_assert((left) == (right), #left " is not " #right)
#define SAME_FIELD(mine, field, theirs, theirField)                                                        \
  SAME(offsetof(mine, field), offsetof(theirs, theirField));                                               \
  SAME(sizeof(((mine *)0)->field), sizeof(((theirs *)0)->theirField))

SAME(CTRACE_DTRACE_VERSION, DTRACE_VERSION);
SAME(CTRACE_DTRACE_CONSUME_THIS, DTRACE_CONSUME_THIS);
SAME(CTRACE_DTRACE_CONSUME_NEXT, DTRACE_CONSUME_NEXT);
SAME(CTRACE_DTRACE_HANDLE_OK, DTRACE_HANDLE_OK);
SAME(CTRACE_DTRACE_AGGWALK_NEXT, DTRACE_AGGWALK_NEXT);
SAME(CTRACE_DTRACE_WORKSTATUS_ERROR, (int)DTRACE_WORKSTATUS_ERROR);
SAME(CTRACE_DTRACE_WORKSTATUS_OKAY, (int)DTRACE_WORKSTATUS_OKAY);
SAME(CTRACE_DTRACE_WORKSTATUS_DONE, (int)DTRACE_WORKSTATUS_DONE);
SAME((int)CTRACE_DTRACE_DROP_PRINCIPAL, (int)DTRACEDROP_PRINCIPAL);
SAME((int)CTRACE_DTRACE_DROP_AGGREGATION, (int)DTRACEDROP_AGGREGATION);

SAME(sizeof(ctrace_dtrace_probe), sizeof(dtrace_probedesc_t));
SAME_FIELD(ctrace_dtrace_probe, identifier, dtrace_probedesc_t, id);
SAME_FIELD(ctrace_dtrace_probe, provider, dtrace_probedesc_t, prv);
SAME_FIELD(ctrace_dtrace_probe, module, dtrace_probedesc_t, mod);
SAME_FIELD(ctrace_dtrace_probe, function, dtrace_probedesc_t, fun);
SAME_FIELD(ctrace_dtrace_probe, name, dtrace_probedesc_t, prb);

SAME(sizeof(ctrace_dtrace_record), sizeof(dtrace_recdesc_t));
SAME_FIELD(ctrace_dtrace_record, action, dtrace_recdesc_t, dtrd_action);
SAME_FIELD(ctrace_dtrace_record, size, dtrace_recdesc_t, dtrd_size);
SAME_FIELD(ctrace_dtrace_record, offset, dtrace_recdesc_t, dtrd_offset);
SAME_FIELD(ctrace_dtrace_record, alignment, dtrace_recdesc_t, dtrd_alignment);
SAME_FIELD(ctrace_dtrace_record, format, dtrace_recdesc_t, dtrd_format);
SAME_FIELD(ctrace_dtrace_record, argument, dtrace_recdesc_t, dtrd_arg);

SAME(sizeof(ctrace_dtrace_probedata), sizeof(dtrace_probedata_t));
SAME_FIELD(ctrace_dtrace_probedata, handle, dtrace_probedata_t, dtpda_handle);
SAME_FIELD(ctrace_dtrace_probedata, statement, dtrace_probedata_t, dtpda_stid);
SAME_FIELD(ctrace_dtrace_probedata, description, dtrace_probedata_t, dtpda_ddesc);
SAME_FIELD(ctrace_dtrace_probedata, probe, dtrace_probedata_t, dtpda_pdesc);
SAME_FIELD(ctrace_dtrace_probedata, cpu, dtrace_probedata_t, dtpda_cpu);
SAME_FIELD(ctrace_dtrace_probedata, data, dtrace_probedata_t, dtpda_data);
SAME_FIELD(ctrace_dtrace_probedata, flow, dtrace_probedata_t, dtpda_flow);
SAME_FIELD(ctrace_dtrace_probedata, prefix, dtrace_probedata_t, dtpda_prefix);
SAME_FIELD(ctrace_dtrace_probedata, indent, dtrace_probedata_t, dtpda_indent);

SAME(sizeof(ctrace_dtrace_aggregation), sizeof(dtrace_aggdesc_t));
SAME_FIELD(ctrace_dtrace_aggregation, name, dtrace_aggdesc_t, dtagd_name);
SAME_FIELD(ctrace_dtrace_aggregation, variable, dtrace_aggdesc_t, dtagd_varid);
SAME_FIELD(ctrace_dtrace_aggregation, flags, dtrace_aggdesc_t, dtagd_flags);
SAME_FIELD(ctrace_dtrace_aggregation, signature, dtrace_aggdesc_t, dtagd_sig);
SAME_FIELD(ctrace_dtrace_aggregation, normal, dtrace_aggdesc_t, dtagd_normal);
SAME_FIELD(ctrace_dtrace_aggregation, key_size, dtrace_aggdesc_t, dtagd_ksize);
SAME_FIELD(ctrace_dtrace_aggregation, data_size, dtrace_aggdesc_t, dtagd_dsize);
SAME_FIELD(ctrace_dtrace_aggregation, key_record_count, dtrace_aggdesc_t, dtagd_nkrecs);
SAME_FIELD(ctrace_dtrace_aggregation, key_index, dtrace_aggdesc_t, dtagd_keyidx);
SAME_FIELD(ctrace_dtrace_aggregation, key_records, dtrace_aggdesc_t, dtagd_krecs);
SAME_FIELD(ctrace_dtrace_aggregation, data_records, dtrace_aggdesc_t, dtagd_drecs);

SAME(sizeof(ctrace_dtrace_aggdata), sizeof(dtrace_aggdata_t));
SAME_FIELD(ctrace_dtrace_aggdata, handle, dtrace_aggdata_t, dtada_hdl);
SAME_FIELD(ctrace_dtrace_aggdata, description, dtrace_aggdata_t, dtada_desc);
SAME_FIELD(ctrace_dtrace_aggdata, key, dtrace_aggdata_t, dtada_key);
SAME_FIELD(ctrace_dtrace_aggdata, data, dtrace_aggdata_t, dtada_data);
SAME_FIELD(ctrace_dtrace_aggdata, per_cpu, dtrace_aggdata_t, dtada_percpu);

SAME(sizeof(ctrace_dtrace_errdata), sizeof(dtrace_errdata_t));
SAME_FIELD(ctrace_dtrace_errdata, handle, dtrace_errdata_t, dteda_handle);
SAME_FIELD(ctrace_dtrace_errdata, description, dtrace_errdata_t, dteda_ddesc);
SAME_FIELD(ctrace_dtrace_errdata, probe, dtrace_errdata_t, dteda_pdesc);
SAME_FIELD(ctrace_dtrace_errdata, cpu, dtrace_errdata_t, dteda_cpu);
SAME_FIELD(ctrace_dtrace_errdata, action, dtrace_errdata_t, dteda_action);
SAME_FIELD(ctrace_dtrace_errdata, offset, dtrace_errdata_t, dteda_offset);
SAME_FIELD(ctrace_dtrace_errdata, fault, dtrace_errdata_t, dteda_fault);
SAME_FIELD(ctrace_dtrace_errdata, address, dtrace_errdata_t, dteda_addr);
SAME_FIELD(ctrace_dtrace_errdata, message, dtrace_errdata_t, dteda_msg);

SAME(sizeof(ctrace_dtrace_dropdata), sizeof(dtrace_dropdata_t));
SAME_FIELD(ctrace_dtrace_dropdata, handle, dtrace_dropdata_t, dtdda_handle);
SAME_FIELD(ctrace_dtrace_dropdata, cpu, dtrace_dropdata_t, dtdda_cpu);
SAME_FIELD(ctrace_dtrace_dropdata, kind, dtrace_dropdata_t, dtdda_kind);
SAME_FIELD(ctrace_dtrace_dropdata, drops, dtrace_dropdata_t, dtdda_drops);
SAME_FIELD(ctrace_dtrace_dropdata, total, dtrace_dropdata_t, dtdda_total);
SAME_FIELD(ctrace_dtrace_dropdata, message, dtrace_dropdata_t, dtdda_msg);

// The numbers of DField.Action.
SAME(1, DTRACEACT_DIFEXPR);
SAME(2, DTRACEACT_EXIT);
SAME(0x101, DTRACEACT_USTACK);
SAME(0x103, DTRACEACT_USYM);
SAME(0x104, DTRACEACT_UMOD);
SAME(0x105, DTRACEACT_UADDR);
SAME(0x401, DTRACEACT_STACK);
SAME(0x402, DTRACEACT_SYM);
SAME(0x403, DTRACEACT_MOD);
SAME(0x700, DTRACEACT_AGGREGATION);
