/* /help and the home page: the table of commands, as text and as forms. */
#include "proxy/admin/admin_int.h"
#include "proxy/admin/html.h"

/* ---- text ---- */

static void help_param(struct str *out, const struct admin_param *p)
{
    str_addf(out, "      %s: %s", p->name, p->help);
    for (size_t i = 0; p->choices != NULL && p->choices[i] != NULL; i++)
        str_addf(out, "%s%s", i == 0 ? "; One of (" : ", ", p->choices[i]);
    str_add(out, p->choices != NULL ? SV(")\n") : SV("\n"));
}

void admin_help_text(struct str *out)
{
    str_add(out, SV("admin commands are:\n"));
    for (size_t i = 0; i < admin_n_commands; i++) {
        const struct admin_command *c = &admin_commands[i];
        str_addf(out, "  %s%s: %s\n", c->path, c->mutates ? " (POST)" : "", c->help);
        for (size_t p = 0; p < c->n_params; p++)
            help_param(out, &c->params[p]);
    }
}

void admin_run_help(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)a;
    (void)rq;
    admin_help_text(&re->body);
}

/* ---- HTML ---- */

void html_escape(struct str *out, struct sv text)
{
    for (size_t i = 0; i < text.n; i++) {
        switch (text.p[i]) {
        case '&':
            str_add(out, SV("&amp;"));
            break;
        case '<':
            str_add(out, SV("&lt;"));
            break;
        case '>':
            str_add(out, SV("&gt;"));
            break;
        case '"':
            str_add(out, SV("&quot;"));
            break;
        case '\'':
            str_add(out, SV("&#39;"));
            break;
        default:
            str_addc(out, text.p[i]);
            break;
        }
    }
}

void html_begin(struct str *out)
{
    str_add(out, SV("<!DOCTYPE html>\n<html lang='en'>\n<head>\n<title>Envoy Admin</title>\n"
                    "<link rel='icon' href='data:,'>\n<style>\n"
                    "body { font-family: sans-serif; }\n"
                    "td, th { padding: 4px; text-align: left; }\n"
                    "form { margin: 0; }\n"
                    ".option { padding-left: 20px; text-align: right; }\n"
                    "tr.gray { background-color: #dddddd; }\n"
                    "</style>\n</head>\n<body>\n"));
}

void html_end(struct str *out)
{
    str_add(out, SV("</body>\n</html>\n"));
}

static void home_input(struct str *out, const char *command, const struct admin_param *p)
{
    if (p->choices == NULL) {
        str_addf(out, "<input type='%s' name='%s' form='%s'>", p->flag ? "checkbox" : "text",
                 p->name, command);
        return;
    }
    str_addf(out, "<select name='%s' form='%s'>", p->name, command);
    for (size_t i = 0; p->choices[i] != NULL; i++)
        str_addf(out, "<option value='%s'>%s</option>", p->choices[i], p->choices[i]);
    str_add(out, SV("</select>"));
}

/* Links are relative, so that the page also works behind a path. */
static void home_command(struct str *out, const struct admin_command *c, bool gray)
{
    const char *path = c->path + 1, *row = gray ? "<tr class='gray'>" : "<tr>";

    str_addf(out, "%s<td>", row);
    if (!c->mutates && c->n_params == 0)
        str_addf(out, "<a href='%s'>%s</a>", path, path);
    else
        str_addf(out, "<form action='%s' method='%s' id='%s'><button>%s</button></form>", path,
                 c->mutates ? "post" : "get", path, path);
    str_add(out, SV("</td><td>"));
    html_escape(out, sv_str(c->help));
    str_add(out, SV("</td></tr>\n"));
    for (size_t i = 0; i < c->n_params; i++) {
        str_addf(out, "%s<td class='option'>", row);
        home_input(out, path, &c->params[i]);
        str_addf(out, "</td><td>%s: ", c->params[i].name);
        html_escape(out, sv_str(c->params[i].help));
        str_add(out, SV("</td></tr>\n"));
    }
}

void admin_run_home(struct admin *a, const struct admin_request *rq, struct admin_reply *re)
{
    (void)a;
    (void)rq;
    re->content_type = ADMIN_HTML;
    html_begin(&re->body);
    str_add(&re->body, SV("<table>\n<tr><th>Command</th><th>Description</th></tr>\n"));
    for (size_t i = 1; i < admin_n_commands; i++)
        home_command(&re->body, &admin_commands[i], i % 2 == 0);
    str_add(&re->body, SV("</table>\n"));
    html_end(&re->body);
}
