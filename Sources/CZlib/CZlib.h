#ifndef APUS_CZLIB_H
#define APUS_CZLIB_H

// zlib: inflates .gz corpora and computes the CRC-32 of token shards.
#include <zlib.h>

#endif
