/* SPDX-License-Identifier: BSD-3-Clause */
/** \file The Chinese sentences (simplified): see texts.h. */
#include "advice/texts.h"

static const struct text faults[] = {
    {"cname-and-mx",
     "域名 {domain} 在同一主机记录上既有 CNAME 记录(指向 {target}),又有 MX 记录({mx}):"
     "解析到 CNAME 的一方将查不到 MX 记录。"},
    {"cname-at-apex/mx", "{domain} 是区域的顶点(@),但它是指向 {target} 的 CNAME,"
                         "权威服务器对任何查询都以该 CNAME 应答,因此查不到其 MX 记录({mx})。"},
    {"cname-at-apex", "{domain} 是区域的顶点(@),但它是指向 {target} 的 CNAME,"
                      "权威服务器对任何查询都以该 CNAME 应答,因此无法查到 MX 记录。"},
    {"foreign-mx/sure", "{domain} 的 MX 记录中除 {provider} 的邮件服务器外,"
                        "还混有不属于它的服务器:{foreign}。"},
    {"foreign-mx",
     "{domain} 的 MX 记录({mx})中除 {provider} 的邮件服务器外,还混有不属于它的服务器。"},
    {"incomplete-mx/add-final-dot",
     "{domain} 的 MX 记录({mx})中,邮件服务器名末尾缺少点号,因此被自动加上了域名自身。"},
    {"incomplete-mx", "{domain} 的 MX 记录({mx})与 {provider} 文档中要求的不一致。"},
    {"spf-missing/permerror", "{domain} 的 SPF 记录有语法错误,收件服务器不会采用。"},
    {"spf-missing/several-records", "{domain} 有多条 SPF 记录,收件服务器一条也不会采用。"},
    {"spf-missing", "{domain} 的邮箱在 {provider},但其 SPF 记录没有包含该服务商的服务器。"},
    {"", "{domain} 存在类型为 {kind} 的解析问题。"},
};

static const struct text impacts[] = {
    {"no-mail-host", "发件方找不到邮件服务器:{target} 既没有 MX 记录,也没有地址。"
                     "发往 {domain} 的邮件会被退回。"},
    {"implicit-mx", "发件方会直接投递到 {target} 的地址,那里通常是不收邮件的网站服务器:"
                    "发往 {domain} 的邮件会滞留数天,然后被退回。"},
    {"wrong-mail-host", "发件方会投递到 {target} 的邮件服务器,而不是 {domain} "
                        "自己指定的邮件服务器:邮件会被退回或丢失。"},
    {"none", "目前邮件仍能送达,因为 {target} 的 MX 记录与之相同;"
             "一旦其中一方改动,邮件就会中断。"},
    {"cname-and-mx", "发件方在 {target} 处的情况尚不清楚。解析到 CNAME 的发件方"
                     "找不到 {domain} 的邮件服务器。"},
    {"cname-at-apex",
     "发件方在 {target} 处的情况尚不清楚。发件方找不到 {domain} 自身的邮件服务器。"},
    {"foreign-mx", "投递到其他服务器的邮件到不了 {provider} 的邮箱:会丢失部分邮件。"},
    {"incomplete-mx/add-final-dot",
     "发件方查找的是不存在的邮件服务器:发往 {domain} 的邮件会延迟或被退回。"},
    {"incomplete-mx", "现有 MX 记录中的服务器无法连接时,邮件会延迟或被退回。"},
    {"spf-missing", "由 {domain} 发出的邮件可能被收件方拒收或判为垃圾邮件。"},
    {"", "对发件方的影响尚不清楚。"},
};

static const struct text ways[] = {
    {"remove-cname", "删除主机记录为 {host} 的 CNAME 记录。删除前请确认没有正在使用的服务依赖它。"},
    {"replace-cname-with-address",
     "删除主机记录为 {host} 的 CNAME 记录,并在该处添加 A 记录,记录值为 {target} 的 IP 地址。"
     "网站的域名保持不变。"},
    {"move-cname", "把 CNAME 记录的主机记录由 {host} 改为其他值,例如 {www}。"
                   "CNAME 记录仍保留在该区域中。"},
    {"separate-mail-domain", "为邮箱使用单独的域名或子域名,例如 mail.{domain}。"
                             "这样 CNAME 与 MX 就位于不同的主机记录上。"},
    {"flatten-cname", "在 DNS 服务商处启用 CNAME 拉平(也称 ALIAS 或 ANAME 记录):由服务商查询 "
                      "{target} 并直接以其地址应答,MX 记录即可被查到。"},
    {"remove-foreign-mx/sure", "删除主机记录为 {host} 的以下 MX 记录:{foreign}。"},
    {"remove-foreign-mx", "删除主机记录为 {host} 且不属于 {provider} 的 MX 记录。"},
    {"complete-mx", "按照 {provider} 的文档设置主机记录为 {host} 的 MX 记录,优先级也须一致。"},
    {"add-final-dot", "在主机记录为 {host} 的 MX 记录中,邮件服务器名末尾补上点号,"
                      "或按控制台的要求填写完整域名。"},
    {"fix-spf/permerror", "修正主机记录为 {host} 的 SPF 记录(TXT 记录)的语法,"
                          "并以 {include} 包含服务商的服务器。"},
    {"fix-spf/several-records", "主机记录为 {host} 的 SPF 记录(TXT 记录)只保留一条,"
                                "并以 {include} 包含服务商的服务器。"},
    {"fix-spf", "在主机记录为 {host} 的 SPF 记录(TXT 记录)中加入 {include}。"},
    {NULL, NULL},
};

const struct texts texts_chinese = {
    .faults = faults,
    .suspected = "已发现但尚未证实:",
    .impacts = impacts,
    .hides_spf = "该 CNAME 还遮住了 SPF 记录,由 {domain} 发出的邮件可能被拒收。",
    .authorities_differ = "各权威服务器上的区域数据不一致:请逐台检查。",
    .ways = ways,
    .prepare = "登录 {zone} 的 DNS 服务商控制台,打开该域名的解析设置。",
    .choose = "从以下方法中任选一种:",
    .records = "确认主机记录为 {host} 的邮件相关记录如下:",
    .wait = "等待生效:修改通常在 1 至 2 小时内生效,最长可能需要 48 小时。",
    .some_target = "另一域名",
    .some_provider = "邮箱服务商",
    .some_include = "服务商文档中给出的 include",
    .no_mx = "未见到",
    .comma = "、",
    .greeting = "您好:\n\n{domain} 的 DNS 解析存在影响邮件收发的问题。\n\n",
    .before_steps = "修复步骤:\n\n",
};
