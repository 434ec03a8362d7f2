#include "quota.h"

#include <stdio.h>

int why_full(struct standing standing, long long amount, const char *who, char reason[REASON_MAX]) {
  if (standing.used + amount <= standing.limit) return 0;
  snprintf(reason, REASON_MAX, "%.64s used %lld of %lld", who, standing.used, standing.limit);
  return 1;
}
