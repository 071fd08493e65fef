// As much of libelf's gelf.h as libdtrace's header needs; the types are not compared.
#pragma once
#include <elf.h>
typedef Elf64_Addr GElf_Addr;
typedef Elf64_Sym GElf_Sym;
typedef Elf64_Xword GElf_Xword;
