#include "json.h"

#include <stdlib.h>
#include <string.h>

struct block {
  struct block *next;
};

static struct block *blocks;
static const char *at;
static const struct json null_value = {JSON_NULL, 0, "", NULL, NULL, NULL};

static void give_up(const char *why) {
  fprintf(stderr, "fatal: %s\n", why);
  exit(1);
}

void *arena_take(size_t bytes) {
  struct block *made = calloc(1, sizeof(struct block) + bytes);
  if (made == NULL) give_up("out of memory");
  made->next = blocks;
  blocks = made;
  return made + 1;
}

void arena_clear(void) {
  while (blocks != NULL) {
    struct block *next = blocks->next;
    free(blocks);
    blocks = next;
  }
}

static void skip_space(void) {
  while (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r') at++;
}

static void expect(char c) {
  skip_space();
  if (*at++ != c) give_up("no JSON");
}

static int take(char c) {
  skip_space();
  if (*at != c) return 0;
  at++;
  return 1;
}

static unsigned read_hex4(void) {
  char digits[5] = {0};
  strncpy(digits, at, 4);
  if (strlen(digits) != 4) give_up("no JSON");
  at += 4;
  return (unsigned)strtoul(digits, NULL, 16);
}

static char *write_utf8(char *to, unsigned code) {
  if (code < 0x80) {
    *to++ = (char)code;
  } else if (code < 0x800) {
    *to++ = (char)(0xc0 | code >> 6);
    *to++ = (char)(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    *to++ = (char)(0xe0 | code >> 12);
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  } else {
    *to++ = (char)(0xf0 | code >> 18);
    *to++ = (char)(0x80 | (code >> 12 & 0x3f));
    *to++ = (char)(0x80 | (code >> 6 & 0x3f));
    *to++ = (char)(0x80 | (code & 0x3f));
  }
  return to;
}

static char *read_escape(char *to) {
  static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
  char c = *at++;
  if (c == 'u') {
    unsigned code = read_hex4();
    if (code >= 0xd800 && code < 0xdc00 && at[0] == '\\' && at[1] == 'u') {
      at += 2;
      code = 0x10000 + ((code - 0xd800) << 10) + (read_hex4() - 0xdc00);
    }
    return write_utf8(to, code);
  }
  const char *found = c == '\0' ? NULL : strchr(from, c);
  if (found == NULL) give_up("no JSON");
  *to++ = into[found - from];
  return to;
}

static const char *read_text(void) {
  expect('"');
  const char *end = at;
  while (*end != '"' && *end != '\0') end += *end == '\\' && end[1] != '\0' ? 2 : 1;
  char *text = arena_take((size_t)(end - at) + 1), *to = text;
  while (*at != '"') {
    if (*at == '\0') give_up("no JSON");
    if (*at == '\\') {
      at++;
      to = read_escape(to);
    } else {
      *to++ = *at++;
    }
  }
  at++;
  return text;
}

static struct json *read_value(void);

static void read_items(struct json *into, char end) {
  struct json **last = &into->first;
  if (take(end)) return;
  do {
    const char *name = NULL;
    if (end == '}') {
      name = read_text();
      expect(':');
    }
    *last = read_value();
    (*last)->name = name;
    last = &(*last)->next;
  } while (take(','));
  expect(end);
}

static enum kind read_word(void) {
  static const char *const words[] = {"null", "false", "true"};
  for (int i = 0; i < 3; i++) {
    size_t length = strlen(words[i]);
    if (strncmp(at, words[i], length) != 0) continue;
    at += length;
    return (enum kind)i;
  }
  give_up("no JSON");
  return JSON_NULL;
}

static struct json *read_value(void) {
  struct json *value = arena_take(sizeof(struct json));
  value->text = "";
  skip_space();
  if (*at == '"') {
    value->kind = JSON_TEXT;
    value->text = read_text();
  } else if (take('[')) {
    value->kind = JSON_LIST;
    read_items(value, ']');
  } else if (take('{')) {
    value->kind = JSON_OBJECT;
    read_items(value, '}');
  } else if (*at == '-' || (*at >= '0' && *at <= '9')) {
    char *end;
    value->kind = JSON_INTEGER;
    value->integer = strtoll(at, &end, 10);
    at = end;
  } else {
    value->kind = read_word();
  }
  return value;
}

struct json *json_read(const char *line) {
  at = line;
  return read_value();
}

const struct json *json_field(const struct json *object, const char *name) {
  for (const struct json *field = object->first; field != NULL; field = field->next)
    if (field->name != NULL && strcmp(field->name, name) == 0) return field;
  return &null_value;
}

const struct json *json_item(const struct json *list, int index) {
  const struct json *item = list->first;
  while (item != NULL && index-- > 0) item = item->next;
  return item == NULL ? &null_value : item;
}

void json_write_text(FILE *out, const char *text) {
  putc('"', out);
  for (const char *c = text; *c != '\0'; c++) {
    if (*c == '"' || *c == '\\') fprintf(out, "\\%c", *c);
    else if ((unsigned char)*c < 0x20) fprintf(out, "\\u%04x", (unsigned char)*c);
    else putc(*c, out);
  }
  putc('"', out);
}
