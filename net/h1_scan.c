/* The character classes of HTTP/1 as one table, spelled as the RFCs' grammars. Constant. */
#include "net/h1_scan.h"

#define IN(c, from, to) ((c) >= (from) && (c) <= (to))
#define DIGIT(c) IN(c, '0', '9')
#define ALPHA(c) (IN(c, 'a', 'z') || IN(c, 'A', 'Z'))
#define ALNUM(c) (DIGIT(c) || ALPHA(c))
#define SUB_DELIM(c)                                                                               \
    ((c) == '!' || (c) == '$' || IN(c, '&', ',') || (c) == ';' || (c) == '=') /* & ' ( ) * + , */
#define TCHAR(c)                                                                                   \
    (ALNUM(c) || (c) == '!' || IN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' ||       \
     (c) == '.' || IN(c, '^', '`') || (c) == '|' || (c) == '~') /* # $ % & ' and ^ _ ` */

#define CLASS(c)                                                                                   \
    (TCHAR(c) ? H1_C_TOKEN : 0) | (ALNUM(c) || (c) == '-' || (c) == '.' ? H1_C_PLAIN : 0) |        \
        ((c) >= 0x20 && (c) != 0x7f ? H1_C_TEXT : 0) |                                             \
        (IN(c, 0x21, 0x7e) && (c) != '#' ? H1_C_TARGET : 0) |                                      \
        (ALNUM(c) || SUB_DELIM(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~'          \
             ? H1_C_HOST                                                                           \
             : 0) |                                                                                \
        (DIGIT(c) || IN(c, 'a', 'f') || IN(c, 'A', 'F') ? H1_C_HEX : 0) |                          \
        (ALNUM(c) || (c) == '+' || (c) == '-' || (c) == '.' ? H1_C_SCHEME : 0) |                   \
        (ALPHA(c) ? H1_C_ALPHA : 0)

#define FOUR(c) CLASS(c), CLASS((c) + 1), CLASS((c) + 2), CLASS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const uint8_t h1_classes[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};
