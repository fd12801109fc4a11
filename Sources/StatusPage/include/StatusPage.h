#include <stddef.h>

/// The files of the page for browsers, as they are beside this header in the folder Page.
struct status_page_file {
  /// Where it is served; text that ends with a zero.
  const char *path;
  const unsigned char *bytes;
  size_t count;
};

/// The file at `index`, which counts from 0, as long as the process lives. NULL: there are no more.
const struct status_page_file *status_page_file_at(size_t index);
