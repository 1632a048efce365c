"""The programming languages there really are, by the labels that people put on code fences.

Released instruction data holds invented ones; a label that is not here is refused.
"""

_NAMED = """
abap ada=adb apl applescript arduino=ino asm=assembly,nasm,x86asm,armasm awk=gawk bash=sh,shell,zsh,shellscript
basic=vb,vbnet,vba bat=batch,cmd bibtex brainfuck c=h clojure=clj,cljs,edn cmake cobol coffeescript=coffee
commonlisp=lisp,cl cpp=c++,cc,cxx,hpp crystal=cr csharp=c#,cs css=scss,sass,less cuda=cu cypher d dart delphi
diff=patch dockerfile=docker dot=graphviz elisp=emacs-lisp elixir=ex,exs elm erlang=erl fish forth
fortran=f90,f95,f77 fsharp=f#,fs gdscript glsl=hlsl,wgsl gherkin=cucumber,feature go=golang gradle graphql=gql
groovy hack haskell=hs haxe=hx hcl=terraform,tf html=html5,xhtml idris ini=cfg,conf,properties,dotenv java
javascript=js,jsx,node,mjs,ecmascript jinja=jinja2,django,twig jq json=json5,jsonc,jsonl,ndjson julia=jl
kotlin=kt,kts latex=tex less liquid llvm lua makefile=make,mk markdown=md mathematica=wolfram matlab mermaid meson
mips mojo moonscript nginx nim nix objectivec=objc,objective-c,obj-c ocaml=ml octave odin pascal=objectpascal
perl=pl php plantuml plsql=pl/sql postscript powershell=ps1,pwsh,ps prolog promql protobuf=proto puppet purescript
python=py,python3,py3,pycon,ipython,gyp q qml r=rscript racket=rkt raku=perl6 reason=reasonml regex=regexp
rest=rst,restructuredtext rexx robotframework=robot ruby=rb rust=rs sas scala scheme=scm sed smalltalk solidity=sol
sparql sql=sqlite,postgresql,postgres,mysql,pgsql,tsql,t-sql,mssql stan stata svelte svg swift systemverilog=sv tcl
text=txt,plaintext,plain,console,output,terminal,log,traceback,stdout,shell-session thrift toml=tml tsv=csv
typescript=ts,tsx,mts typst v vala verilog vhdl vim=viml,vimscript vue wasm=wat webassembly xml=xsd,xsl,xslt,plist
xquery yaml=yml zig
"""
LANGUAGES: dict[str, str] = {}
"""Label → language."""
for _entry in _NAMED.split():
    _name, _, _others = _entry.partition("=")
    LANGUAGES.setdefault(_name, _name)
    for _other in filter(None, _others.split(",")):
        LANGUAGES.setdefault(_other, _name)


def language_of(label: str) -> str:
    """The language of a fence's label, whatever its case; empty for one that nobody uses."""
    return LANGUAGES.get(label.strip().casefold(), "")
