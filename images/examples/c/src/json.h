/* JSON as a tree, as much of it as calls need: integers, text, lists, objects. Memory is freed all at once. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>
#include <stdio.h>

enum kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_INTEGER, JSON_TEXT, JSON_LIST, JSON_OBJECT };

struct json {
  enum kind kind;
  long long integer;
  const char *text;        /* UTF-8, ends with a zero byte */
  const char *name;        /* of a field of an object */
  struct json *first;      /* of a list or an object */
  struct json *next;       /* in the list or object that this is in */
};

/* Memory for all that a call needs; ends the program when there is none. */
void *arena_take(size_t bytes);
void arena_clear(void);

/* The value of a line; ends the program when it is none. */
struct json *json_read(const char *line);
/* A field of an object, a null when there is none. */
const struct json *json_field(const struct json *object, const char *name);
/* An item of a list, from 0. */
const struct json *json_item(const struct json *list, int index);
void json_write_text(FILE *out, const char *text);

#endif
