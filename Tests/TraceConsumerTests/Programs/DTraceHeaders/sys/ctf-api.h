// As much of libctf's header as libdtrace's needs; the types are not compared.
#pragma once
typedef struct ctf_file ctf_file_t;
typedef long ctf_id_t;
