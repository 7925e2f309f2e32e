<?xml version="1.0" encoding="UTF-8"?>
<!-- The print page of a report page: what works on a screen only goes, and every picture gets words.
     The same page is printed by WeasyPrint and by Chromium. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:re="http://exslt.org/regular-expressions" exclude-result-prefixes="re">
<xsl:output method="html" encoding="UTF-8" indent="no"/>
<xsl:param name="looks"/>
<xsl:param name="unknown"/>

<xsl:template match="@*|node()"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:template>

<!-- Nothing is asked for, run or followed while a page is printed. -->
<xsl:template match="head"><head>
  <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
  <xsl:apply-templates/><style><xsl:value-of select="$looks"/></style>
</head></xsl:template>
<xsl:template match="meta[@http-equiv]|base|link|style|script|template|iframe|frame|object|embed|audio|video|form|comment()"/>
<xsl:template match="@*[starts-with(name(), 'on')]|@srcset|@background|@poster|@ping"/>
<xsl:template match="@src[not(starts-with(., 'data:image/'))]"/>
<xsl:template match="@style[contains(., 'url')]"/>

<!-- Bookmarks stand for the contents; data tables and CSV files are in the page and in the workbook. -->
<xsl:template match="nav|details[not(@open) and not(@class = 'pmf-fold')]|summary|p[a[@download or contains(@href, '.csv')]]"/>
<xsl:template match="*[@class='skip' or @class='up' or @class='pmf-hint' or @class='pmf-file' or @class='pmf-axis']"/>
<xsl:template match="footer//ul[@class='copies']|footer//h3[following-sibling::*[1][@class='copies']]"/>
<xsl:template match="footer[@class='foot']/*">
  <xsl:copy><xsl:apply-templates select="@*|node()"/>
    <xsl:if test="//details[not(@open) and @class != 'pmf-fold']"><p><xsl:choose>
      <xsl:when test="starts-with(/html/@lang, 'cy')">Mae'r data y tu ôl i bob ffigur yn y dudalen we ac yn llyfr gwaith yr adroddiad hwn.</xsl:when>
      <xsl:otherwise>The data behind each figure are in the web page and in the workbook of this report.</xsl:otherwise>
    </xsl:choose></p></xsl:if>
    <xsl:if test="//div[starts-with(@id, 'evidence-')]//td[starts-with(normalize-space(), $unknown)]"><p><xsl:choose>
      <xsl:when test="starts-with(/html/@lang, 'cy')">Mae cwestiynau nad yw eu hateb yn hysbys yn y dudalen we yn unig.</xsl:when>
      <xsl:otherwise>Questions whose answer is not known are in the web page only.</xsl:otherwise>
    </xsl:choose></p></xsl:if>
  </xsl:copy>
</xsl:template>

<!-- A link into the run's own folder would lead nowhere once the file is sent on. -->
<xsl:template match="a[not(re:test(@href, '^(https?:|mailto:|tel:|#)'))]"><xsl:apply-templates/></xsl:template>

<!-- Whom to ask for another format. -->
<xsl:template match="footer//p/text()[contains(., '@')]">
  <xsl:variable name="found" select="string(re:match(., '[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+')[1])"/>
  <xsl:choose>
    <xsl:when test="$found">
      <xsl:value-of select="substring-before(., $found)"/>
      <a href="mailto:{$found}"><xsl:value-of select="$found"/></a>
      <xsl:value-of select="substring-after(., $found)"/>
    </xsl:when>
    <xsl:otherwise><xsl:value-of select="."/></xsl:otherwise>
  </xsl:choose>
</xsl:template>

<!-- Words that are hidden on a screen are said aloud there; here they stand for a sign, or go. -->
<xsl:template match="span[@aria-hidden='true'][following-sibling::*[1][contains(@class, 'pmf-hidden')]]"/>
<xsl:template match="*[contains(@class, 'pmf-hidden')]"/>
<xsl:template match="*[contains(@class, 'pmf-hidden')][preceding-sibling::*[1][@aria-hidden='true']]" priority="1">
  <span class="pmf-unit"><xsl:value-of select="normalize-space()"/></span>
</xsl:template>

<!-- A cell without a value shows a dash, which is read as words: its tag tells it from other text. -->
<xsl:template match="*[contains(@class, 'pmf-none')]"><blockquote class="pmf-none">&#8211;</blockquote></xsl:template>

<!-- Questions whose answer is not known stay on the web page. -->
<xsl:template match="div[starts-with(@id, 'evidence-')]">
  <xsl:if test=".//tbody/tr[not(td[starts-with(normalize-space(), $unknown)])]"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:if>
</xsl:template>
<xsl:template match="div[starts-with(@id, 'evidence-')]//tbody/tr">
  <xsl:if test="not(td[starts-with(normalize-space(), $unknown)])"><xsl:copy><xsl:apply-templates select="@*|node()"/></xsl:copy></xsl:if>
</xsl:template>

<!-- A figure would become a picture without words of its own; a scrolling group is none here. -->
<xsl:template match="details[@class='pmf-fold']" priority="1"><xsl:apply-templates/></xsl:template>
<xsl:template match="figure|figcaption|blockquote"><div><xsl:apply-templates select="@*|node()"/></div></xsl:template>
<xsl:template match="*[@tabindex]/@role|@tabindex|*[@tabindex]/@aria-label|div/@aria-labelledby|figure/@aria-labelledby"/>
<xsl:template match="*[contains(@class, 'pmf-panels')]/@role|*[contains(@class, 'pmf-panels')]/@aria-label"/>

<!-- Marks are decoration: a background of their word, which is no picture to a screen reader. -->
<xsl:template match="svg[contains(@class, 'pmf-icon')]"/>
<xsl:template match="*[svg[contains(@class, 'pmf-icon')]]">
  <xsl:copy><xsl:apply-templates select="@*"/>
    <xsl:attribute name="class"><xsl:value-of select="concat(@class, ' pmf-marked')"/></xsl:attribute>
    <xsl:attribute name="style">background-image: url("<xsl:apply-templates select="svg" mode="address"/>")</xsl:attribute>
    <xsl:apply-templates/>
  </xsl:copy>
</xsl:template>
<xsl:template match="svg" mode="address">data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='<xsl:value-of select="@viewbox"/>'<xsl:apply-templates select="@fill|@stroke" mode="address"/>%3E<xsl:apply-templates select="*" mode="address"/>%3C/svg%3E</xsl:template>
<xsl:template match="svg//*" mode="address">%3C<xsl:value-of select="name()"/><xsl:apply-templates select="@*" mode="address"/>/%3E</xsl:template>
<xsl:template match="@*" mode="address"><xsl:value-of select="concat(' ', name(), &quot;='&quot;, re:replace(., '#', 'g', '%23'), &quot;'&quot;)"/></xsl:template>
<xsl:template match="text()[preceding-sibling::*[1][self::svg][contains(@class, 'pmf-icon')]]">
  <xsl:if test="normalize-space()"><xsl:value-of select="re:replace(., '^\s+', '', '')"/></xsl:if>
</xsl:template>

<!-- A small picture that a screen passes over says here what it is of. -->
<xsl:template match="svg[@aria-hidden][not(contains(@class, 'pmf-icon'))]">
  <svg role="img"><xsl:apply-templates select="@*[name() != 'aria-hidden']"/>
    <title><xsl:choose>
      <xsl:when test="ancestor::td"><xsl:value-of select="concat(normalize-space(ancestor::tr/*[1]), ': ', ancestor::td/@data-label)"/></xsl:when>
      <xsl:otherwise><xsl:for-each select="text/text()[normalize-space()]">
        <xsl:value-of select="normalize-space()"/><xsl:if test="position() != last()">, </xsl:if>
      </xsl:for-each></xsl:otherwise>
    </xsl:choose></title>
    <xsl:apply-templates/>
  </svg>
</xsl:template>

<!-- In a table of two columns or one row, headings of rows would outnumber what they head. -->
<xsl:template match="tbody/tr/th[count(../../tr) * (count(../*) - 2) &lt; count(../*)]">
  <td><xsl:apply-templates select="@*[not(name() = 'scope' or name() = 'role')]"/><strong><xsl:apply-templates/></strong></td>
</xsl:template>

<!-- What a style sheet alone cannot tell: a finding that leads to a chart is near it; a short
     table stays on one page; a wide one is set a little smaller, and gets a page on its side where it
     is long. -->
<xsl:template match="div[contains(@class, 'pmf-finding')][following-sibling::*[1][*[contains(@class, 'pmf-chart')]]]/@class">
  <xsl:attribute name="class"><xsl:value-of select="."/> pmf-leads</xsl:attribute>
</xsl:template>
<xsl:template match="figure/@class"><xsl:attribute name="class"><xsl:value-of select="."/>
  <xsl:if test="../*[contains(@class, 'pmf-chart')]"> pmf-one</xsl:if></xsl:attribute></xsl:template>
<xsl:template match="table/@class"><xsl:attribute name="class"><xsl:value-of select="."/>
  <xsl:if test="count(../tbody/tr) &lt; 6"> pmf-short</xsl:if>
  <xsl:if test="count(../thead/tr[1]/th) &gt; 5"> pmf-dense</xsl:if></xsl:attribute></xsl:template>
<xsl:template match="div[contains(@class, 'pmf-table')]/@class"><xsl:attribute name="class"><xsl:value-of select="."/>
  <xsl:if test="count(..//thead/tr[1]/th) &gt; 8 and count(..//tbody/tr) &gt; 7"> pmf-wide</xsl:if></xsl:attribute></xsl:template>
</xsl:stylesheet>
