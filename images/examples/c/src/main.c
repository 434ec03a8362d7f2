/*
 * Calls of the host, a line of JSON each, to the rules of quota.c.
 *
 *   used/<member>  how much they have used      limit/<member>  how much they may, where it is not 100
 */
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "quota.h"

struct value {
  long long number;
  int is_set;
  int is_changed;
};

/* One key of the state: as the entries so far left it, and as the entry under way has it. */
struct slot {
  const char *key;
  struct value kept;
  struct value now;
  struct slot *next;
};

static struct slot *slots;
static const char *view;
static char *line;
static size_t line_size;
/* The answer; written to the host when it is whole, since questions come in between. */
static FILE *out;

static const struct json *read_line(void) {
  return getline(&line, &line_size, stdin) < 0 ? NULL : json_read(line);
}

static char *joined(const char *before, const char *after) {
  char *text = arena_take(strlen(before) + strlen(after) + 1);
  strcpy(text, before);
  return strcat(text, after);
}

static struct value ask(const char *key) {
  printf("{\"jsonrpc\":\"2.0\",\"id\":\"ask\",\"method\":\"get\",\"params\":{\"view\":\"%s\",\"key\":", view);
  json_write_text(stdout, key);
  printf("}}\n");
  fflush(stdout);
  const struct json *reply = read_line();
  if (reply == NULL || json_field(reply, "error")->kind != JSON_NULL) exit(1);
  const struct json *result = json_field(reply, "result");
  return (struct value){result->integer, result->kind == JSON_INTEGER, 0};
}

/* A key's slot; the host is asked once a call. */
static struct slot *slot_of(const char *prefix, const char *member) {
  char *key = joined(prefix, member);
  for (struct slot *slot = slots; slot != NULL; slot = slot->next)
    if (strcmp(slot->key, key) == 0) return slot;
  struct slot *slot = arena_take(sizeof(struct slot));
  slot->key = key;
  slot->kept = slot->now = ask(key);
  slot->next = slots;
  return slots = slot;
}

static struct standing standing_of(const char *member) {
  struct value limit = slot_of("limit/", member)->now;
  return (struct standing){slot_of("used/", member)->now.number, limit.is_set ? limit.number : LIMIT};
}

static void write_field(FILE *to, const char *name, const char *text) {
  fprintf(to, "\"%s\":", name);
  json_write_text(to, text);
}

/* Performs one act; 1 with the reason when it may not be. */
static int is_refused(const struct json *entry, const struct json *act, char reason[REASON_MAX], FILE *events) {
  const char *member = json_field(entry, "principal")->text;
  const struct json *body = json_item(act, 1);
  if (strcmp(json_item(act, 0)->text, "use") == 0) {
    long long amount = json_field(body, "amount")->integer;
    if (why_full(standing_of(member), amount, joined(member, " has"), reason)) return 1;
    struct slot *used = slot_of("used/", member);
    used->now = (struct value){used->now.number + amount, 1, 1};
    fprintf(events, "%s{\"type\":\"used\",", ftell(events) > 0 ? "," : "");
    write_field(events, "member", member);
    fprintf(events, ",\"total\":%lld}", used->now.number);
    return 0;
  }
  const struct json *right = json_field(entry, "rights")->first;
  while (right != NULL && strcmp(right->text, "quota") != 0) right = right->next;
  snprintf(reason, REASON_MAX, "%.64s does not have the right quota", member);
  if (right == NULL) return 1;
  slot_of("limit/", json_field(body, "member")->text)->now = (struct value){json_field(body, "max")->integer, 1, 1};
  return 0;
}

/* An entry as a whole, or nothing of it. */
static void reduce_entry(const struct json *entry) {
  char *events_text, reason[REASON_MAX];
  size_t events_size;
  FILE *events = open_memstream(&events_text, &events_size);
  const struct json *act = json_field(entry, "acts")->first;
  while (act != NULL && !is_refused(entry, act, reason, events)) act = act->next;
  fclose(events);
  fputc('{', out);
  write_field(out, "id", json_field(entry, "id")->text);
  if (act == NULL) {
    fprintf(out, ",\"events\":[%s]}", events_text);
  } else {
    fputc(',', out);
    write_field(out, "void", joined(joined(json_item(act, 0)->text, ": "), reason));
    fputc('}', out);
  }
  for (struct slot *slot = slots; slot != NULL; slot = slot->next) {
    if (act == NULL) slot->kept = slot->now;
    else slot->now = slot->kept;
  }
  free(events_text);
}

static void reduce(const struct json *params) {
  fprintf(out, "{\"outcomes\":[");
  for (const struct json *entry = json_field(params, "entries")->first; entry != NULL; entry = entry->next) {
    reduce_entry(entry);
    if (entry->next != NULL) fputc(',', out);
  }
  fprintf(out, "],\"changes\":[");
  const char *comma = "";
  for (struct slot *slot = slots; slot != NULL; slot = slot->next) {
    if (!slot->kept.is_changed) continue;
    fprintf(out, "%s[", comma);
    json_write_text(out, slot->key);
    fprintf(out, ",%lld]", slot->kept.number);
    comma = ",";
  }
  fprintf(out, "]}");
}

/* The merge test: nobody has used more than they may. */
static void test(const struct json *params) {
  char *findings_text, reason[REASON_MAX];
  size_t findings_size;
  FILE *findings = open_memstream(&findings_text, &findings_size);
  for (const struct json *entry = json_field(params, "entries")->first; entry != NULL; entry = entry->next) {
    for (const struct json *act = json_field(entry, "acts")->first; act != NULL; act = act->next) {
      int is_limit = strcmp(json_item(act, 0)->text, "limit") == 0;
      const char *member = is_limit ? json_field(json_item(act, 1), "member")->text : json_field(entry, "principal")->text;
      if (!why_full(standing_of(member), 0, joined(member, " has"), reason)) continue;
      if (ftell(findings) > 0) fputc(',', findings);
      json_write_text(findings, reason);
    }
  }
  fclose(findings);
  if (findings_size == 0) fprintf(out, "{\"verdict\":\"PASS\"}");
  else fprintf(out, "{\"verdict\":\"FAIL\",\"findings\":[%s]}", findings_text);
  free(findings_text);
}

static void command(const struct json *params) {
  char reason[REASON_MAX];
  const char *member = json_field(json_field(params, "actor"), "principal")->text;
  long long amount = json_field(json_field(params, "args"), "amount")->integer;
  if (why_full(standing_of(member), amount, "you have", reason)) {
    fputc('{', out);
    write_field(out, "refused", reason);
    fputc('}', out);
  } else {
    fprintf(out, "{\"acts\":[[\"use\",{\"amount\":%lld}]]}", amount);
  }
}

static void answer(const char *method, const struct json *params) {
  view = strcmp(method, "test") == 0 ? "after" : "now";
  if (strcmp(method, "reduce") == 0) reduce(params);
  else if (strcmp(method, "test") == 0) test(params);
  else if (strcmp(method, "command") == 0) command(params);
  else {
    struct standing standing = standing_of(json_field(params, "args")->text);
    fprintf(out, "{\"used\":%lld,\"limit\":%lld}", standing.used, standing.limit);
  }
}

int main(void) {
  const struct json *call;
  while ((call = read_line()) != NULL) {
    char *text;
    size_t size;
    out = open_memstream(&text, &size);
    answer(json_field(call, "method")->text, json_field(call, "params"));
    fclose(out);
    printf("{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n", json_field(call, "id")->integer, text);
    fflush(stdout);
    free(text);
    slots = NULL;
    arena_clear();
  }
  return 0;
}
