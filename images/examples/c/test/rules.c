#include <stdio.h>
#include <string.h>

#include "../src/quota.h"

int main(void) {
  char reason[REASON_MAX] = "";
  struct standing ada = {60, 100};
  int is_right = !why_full(ada, 40, "ada has", reason) && why_full(ada, 41, "ada has", reason) &&
                 strcmp(reason, "ada has used 60 of 100") == 0;
  if (!is_right) fprintf(stderr, "41 more than 60 of 100: %s\n", reason);
  return !is_right;
}
