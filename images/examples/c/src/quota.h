/* Everybody may use so much of something, and no more: what follows from what, and nothing else. */
#ifndef QUOTA_H
#define QUOTA_H

#define LIMIT 100
#define REASON_MAX 256

struct standing {
  long long used;
  long long limit;
};

/* Writes why `amount` more is too much, for `who` ("ada has", "you have"); 0 when it is not. */
int why_full(struct standing standing, long long amount, const char *who, char reason[REASON_MAX]);

#endif
