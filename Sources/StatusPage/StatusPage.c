#include "StatusPage.h"

// In C, because its compiler embeds files as they are (C23). SwiftPM's `embedInCode` would have Swift compile 50,000
// integers, some 10 seconds each time, and `Bundle.module` needs a folder beside the executable.
#pragma clang diagnostic ignored "-Wc23-extensions"
static const unsigned char index_html[] = {
#embed "Page/index.html"
};
static const unsigned char page_css[] = {
#embed "Page/page.css"
};
static const unsigned char page_js[] = {
#embed "Page/page.js"
};
static const unsigned char server_js[] = {
#embed "Page/server.js"
};
static const unsigned char text_js[] = {
#embed "Page/text.js"
};
static const unsigned char chart_js[] = {
#embed "Page/chart.js"
};
static const unsigned char rows_js[] = {
#embed "Page/rows.js"
};
static const unsigned char now_js[] = {
#embed "Page/now.js"
};
static const unsigned char dead_js[] = {
#embed "Page/dead.js"
};
static const unsigned char confirm_js[] = {
#embed "Page/confirm.js"
};
static const unsigned char icon_svg[] = {
#embed "Page/icon.svg"
};

static const struct status_page_file files[] = {
  {"/", index_html, sizeof index_html},
  {"/page/page.css", page_css, sizeof page_css},
  {"/page/page.js", page_js, sizeof page_js},
  {"/page/server.js", server_js, sizeof server_js},
  {"/page/text.js", text_js, sizeof text_js},
  {"/page/chart.js", chart_js, sizeof chart_js},
  {"/page/rows.js", rows_js, sizeof rows_js},
  {"/page/now.js", now_js, sizeof now_js},
  {"/page/dead.js", dead_js, sizeof dead_js},
  {"/page/confirm.js", confirm_js, sizeof confirm_js},
  {"/page/icon.svg", icon_svg, sizeof icon_svg},
};

const struct status_page_file *status_page_file_at(size_t index) {
  return index < sizeof files / sizeof *files ? &files[index] : NULL;
}
